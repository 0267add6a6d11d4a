package lambda

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Where a local function claims to run. The account is the one that AWS uses in
// its documentation.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

// A Function is what CreateFunction would be told: the program and its limits.
type Function struct {
	Name string
	Path string            // the built binary, usually called bootstrap
	Env  map[string]string // the function's own variables; the reserved ones are refused

	Timeout   time.Duration // of one call; zero means 3 s, as on Lambda
	InitLimit time.Duration // of the start; zero means 10 s, as on Lambda
	Memory    int           // MB, told to the function but not enforced; zero means 128

	// Concurrency bounds the environments that a [Service] runs at once, as reserved
	// concurrency does; zero means no bound.
	Concurrency int

	// Stdout and Stderr get what the function prints, one whole line a Write. nil
	// discards. A [Service] makes one Write at a time for each function; an
	// [Environment] may write to both at once, so a writer that is both must be safe
	// for that, as must one that is given to several functions.
	Stdout, Stderr io.Writer
}

// ARN is the name that the function is told it was called by.
func (f Function) ARN() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", Region, Account, f.Name)
}

func (f Function) timeout() time.Duration   { return orDefault(f.Timeout, 3*time.Second) }
func (f Function) initLimit() time.Duration { return orDefault(f.InitLimit, 10*time.Second) }
func (f Function) memory() int              { return orDefault(f.Memory, 128) }

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// check refuses what CreateFunction refuses.
func (f Function) check() error {
	var faults []error
	if f.Name == "" {
		faults = append(faults, errors.New("a function needs a name"))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Env)) {
		if reserved[name] {
			faults = append(faults, fmt.Errorf("%s is reserved by Lambda", name))
		}
	}
	return errors.Join(faults...)
}

// reserved are the variables that Lambda sets and does not let a function set: "Defined
// runtime environment variables" in the Lambda Developer Guide.
var reserved = map[string]bool{
	"_HANDLER":                        true,
	"_X_AMZN_TRACE_ID":                true,
	"AWS_ACCESS_KEY":                  true,
	"AWS_ACCESS_KEY_ID":               true,
	"AWS_DEFAULT_REGION":              true,
	"AWS_EXECUTION_ENV":               true,
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_FUNCTION_NAME":        true,
	"AWS_LAMBDA_FUNCTION_VERSION":     true,
	"AWS_LAMBDA_INITIALIZATION_TYPE":  true,
	"AWS_LAMBDA_LOG_GROUP_NAME":       true,
	"AWS_LAMBDA_LOG_STREAM_NAME":      true,
	"AWS_LAMBDA_RUNTIME_API":          true,
	"AWS_REGION":                      true,
	"AWS_SECRET_ACCESS_KEY":           true,
	"AWS_SESSION_TOKEN":               true,
	"LAMBDA_RUNTIME_DIR":              true,
	"LAMBDA_TASK_ROOT":                true,
}

// environ is the whole environment of a process whose runtime API listens at address.
// Nothing is inherited: a variable of the developer's shell must not make a function
// work that would fail on Lambda.
func (f Function) environ(address string) []string {
	env := map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_DEFAULT_REGION":              Region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.memory()),
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON", // LoggingConfig in template.yaml
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local/[$LATEST]" + strings.ReplaceAll(address, ":", "-"),
		"AWS_LAMBDA_RUNTIME_API":          address,
		"AWS_REGION":                      Region,
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                filepath.Dir(f.Path),
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                              ":UTC",
	}
	maps.Copy(env, f.Env)
	list := make([]string, 0, len(env))
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}
