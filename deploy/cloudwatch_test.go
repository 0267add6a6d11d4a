package deploy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const namespace = "HasuraCognito/${Prefix}"

// A metricFilter counts log lines of a function.
type metricFilter struct {
	function     string // logical id
	name, value  string
	dimension    string // "" for none
	field        string // of the log line that the pattern looks at
	operator     string
	operand      string // * for any value
	namespace    string
	defaultValue any
}

func (t template) filters(test *testing.T) (all []metricFilter) {
	test.Helper()
	pattern := regexp.MustCompile(`^\{ \$\.(\w+) (=|>=) (\*|"[^"]*"|\d+) \}$`)
	for id, r := range t.Resources {
		if r.Type != "AWS::Logs::MetricFilter" {
			continue
		}
		parts := pattern.FindStringSubmatch(fmt.Sprint(r.Properties["FilterPattern"]))
		if parts == nil {
			test.Fatalf("%s has the pattern %v, which this test does not understand", id, r.Properties["FilterPattern"])
		}
		transformation := r.Properties["MetricTransformations"].([]any)[0]
		f := metricFilter{
			function: strings.TrimSuffix(fmt.Sprint(r.Properties["LogGroupName"]), "Logs"),
			field:    parts[1], operator: parts[2], operand: strings.Trim(parts[3], `"`),
			namespace: fmt.Sprint(at(transformation, "MetricNamespace")),
			name:      fmt.Sprint(at(transformation, "MetricName")), value: fmt.Sprint(at(transformation, "MetricValue")),
			defaultValue: at(transformation, "DefaultValue"),
		}
		if dimensions, ok := at(transformation, "Dimensions").([]any); ok {
			f.dimension = fmt.Sprint(at(dimensions[0], "Key"), "=", at(dimensions[0], "Value"))
		}
		all = append(all, f)
	}
	return all
}

// A datapoint is a value of a metric at a time.
type datapoint struct {
	metric string // namespace, name and dimensions
	at     time.Time
	value  float64
}

func metric(namespace, name any, dimensions ...string) string {
	slices.Sort(dimensions)
	return fmt.Sprint(namespace, " ", name, " ", strings.Join(dimensions, " "))
}

// count returns the datapoint that the filter makes of a log line, as CloudWatch Logs does.
func (f metricFilter) count(line []byte, at time.Time) (datapoint, bool) {
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil || fields[f.field] == nil {
		return datapoint{}, false // a pattern for JSON matches no other text
	}
	number, isNumber := fields[f.field].(float64)
	operand, _ := strconv.ParseFloat(f.operand, 64)
	if matches := f.operand == "*" || f.operator == "=" && fields[f.field] == f.operand || f.operator == ">=" && isNumber && number >= operand; !matches {
		return datapoint{}, false
	}
	value, err := strconv.ParseFloat(f.value, 64)
	if field, ok := strings.CutPrefix(f.value, "$."); ok {
		value, ok = fields[field].(float64)
		if !ok {
			return datapoint{}, false
		}
	} else if err != nil {
		return datapoint{}, false
	}
	if f.dimension == "" {
		return datapoint{metric(f.namespace, f.name), at, value}, true
	}
	key, field, _ := strings.Cut(f.dimension, "=$.")
	return datapoint{metric(f.namespace, f.name, fmt.Sprint(key, "=", fields[field])), at, value}, true
}

// An alarm rings if enough of its last periods are over its threshold, or below it. Its metrics are added up.
type alarm struct {
	metrics            []string
	statistic          string
	period             time.Duration
	periods, datapoint int
	threshold          float64
	below              bool
}

func (t template) alarms(test *testing.T) map[string]alarm {
	test.Helper()
	all := map[string]alarm{}
	for id, r := range t.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		p := r.Properties
		number := func(value any) float64 {
			if parameter, ok := t.Parameters[fmt.Sprint(value)]; ok {
				return float64(*parameter.MinValue) // so that a simulation is short
			}
			n, _ := value.(float64)
			return n
		}
		a := alarm{periods: int(number(p["EvaluationPeriods"])), datapoint: int(number(p["DatapointsToAlarm"])), threshold: number(p["Threshold"])}
		if a.datapoint == 0 {
			a.datapoint = a.periods
		}
		add := func(m any, statistic, period any) {
			var dimensions []string
			list, _ := at(m, "Dimensions").([]any)
			for _, d := range list {
				dimensions = append(dimensions, fmt.Sprint(at(d, "Name"), "=", at(d, "Value")))
			}
			a.metrics = append(a.metrics, metric(at(m, "Namespace"), at(m, "MetricName"), dimensions...))
			a.statistic, a.period = fmt.Sprint(statistic), time.Duration(number(period))*time.Second
		}
		if list, ok := p["Metrics"].([]any); ok {
			for _, m := range list {
				switch stat := at(m, "MetricStat"); {
				case stat != "":
					add(at(stat, "Metric"), at(stat, "Stat"), at(stat, "Period"))
				case at(m, "Expression") != "SUM(METRICS())":
					test.Fatalf("%s has the expression %v, which this test does not understand", id, at(m, "Expression"))
				}
			}
		} else {
			statistic := p["Statistic"]
			if statistic == nil {
				statistic = p["ExtendedStatistic"]
			}
			add(p, statistic, p["Period"])
		}
		// Without values the sum is zero here. So it must be within the threshold if missing data is, and below it if not.
		comparison := fmt.Sprint(p["ComparisonOperator"], " ", p["TreatMissingData"])
		a.below = comparison == "LessThanThreshold breaching" && a.threshold > 0
		if comparison != "GreaterThanThreshold notBreaching" && !a.below || p["AlarmActions"] == nil || a.period == 0 {
			test.Fatalf("%s has properties that this test does not understand: %v", id, p)
		}
		all[id] = a
	}
	return all
}

// rings evaluates the alarm at the end of a period.
func (a alarm) rings(data []datapoint, end time.Time) bool {
	over := 0
	for n := range a.periods {
		to := end.Add(-time.Duration(n) * a.period)
		sum := 0.0
		for _, m := range a.metrics {
			var values []float64
			for _, d := range data {
				if d.metric == m && !d.at.Before(to.Add(-a.period)) && d.at.Before(to) {
					values = append(values, d.value)
				}
			}
			sum += statistic(a.statistic, values)
		}
		if !a.below && sum > a.threshold || a.below && sum < a.threshold {
			over++
		}
	}
	return over >= a.datapoint
}

func statistic(name string, values []float64) (result float64) {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	switch name {
	case "Maximum":
		return values[len(values)-1]
	case "p99":
		return values[int(math.Ceil(0.99*float64(len(values))))-1]
	case "Sum":
		for _, v := range values {
			result += v
		}
		return result
	}
	panic("unknown statistic " + name)
}
