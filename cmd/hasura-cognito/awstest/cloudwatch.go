package awstest

import (
	"net/http"
	"path"

	"github.com/aws/smithy-go/encoding/cbor"
)

// cloudWatch answers in CBOR, the protocol of the SDK's client.
func (a *Account) cloudWatch(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	action := path.Base(r.URL.Path)
	var answer any
	switch {
	case a.denies(action):
		w.WriteHeader(http.StatusForbidden)
		answer = Object{"__type": "AccessDeniedException", "message": "denied"}
	case action == "DescribeAlarms":
		answer = Object{"MetricAlarms": a.Alarms}
	case action == "GetMetricStatistics" && a.Age > 0:
		answer = Object{"Datapoints": []Object{{"Maximum": a.Age}}}
	case action == "GetMetricStatistics":
		answer = Object{"Datapoints": []Object{}}
	default:
		w.WriteHeader(http.StatusNotFound)
		answer = Object{"__type": "UnknownOperationException", "message": action}
	}
	w.Write(cbor.Encode(value(answer)))
}

func value(v any) cbor.Value {
	switch v := v.(type) {
	case Object:
		m := cbor.Map{}
		for name, member := range v {
			m[name] = value(member)
		}
		return m
	case []Object:
		l := cbor.List{}
		for _, item := range v {
			l = append(l, value(item))
		}
		return l
	case string:
		return cbor.String(v)
	case float64:
		return cbor.Float64(v)
	}
	return &cbor.Nil{}
}
