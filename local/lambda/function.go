package lambda

import (
	"cmp"
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

// The Region and the account of local functions. AWS uses this account in its examples.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

// A Function has the parameters of CreateFunction.
type Function struct {
	Name string
	Path string            // the built binary, usually called bootstrap
	Env  map[string]string // environment variables; reserved ones are refused

	Timeout   time.Duration // of a call; zero means 3 s, as on Lambda
	InitLimit time.Duration // of init; zero means 10 s, as on Lambda
	Memory    int           // in MB; the function sees it, but it is not enforced; zero means 128

	// Concurrency limits the environments of a [Service], as reserved concurrency does; zero
	// means no limit.
	Concurrency int

	// Stdout and Stderr get what the function prints, one line per Write. nil discards. A
	// [Service] makes one Write at a time for a function. An [Environment] may write to both
	// at the same time.
	Stdout, Stderr io.Writer
}

// ARN is the function's Amazon Resource Name.
func (f Function) ARN() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", Region, Account, f.Name)
}

func (f Function) timeout() time.Duration   { return cmp.Or(f.Timeout, 3*time.Second) }
func (f Function) initLimit() time.Duration { return cmp.Or(f.InitLimit, 10*time.Second) }

// check refuses what CreateFunction refuses.
func (f Function) check() error {
	var errs []error
	if f.Name == "" {
		errs = append(errs, errors.New("a function needs a name"))
	}
	reserved := f.reserved("")
	for _, name := range slices.Sorted(maps.Keys(f.Env)) {
		if _, ok := reserved[name]; ok {
			errs = append(errs, fmt.Errorf("%s is reserved by Lambda", name))
		}
	}
	return errors.Join(errs...)
}

// reserved are the variables that Lambda sets and that a function's configuration cannot
// set: "Defined runtime environment variables" in the Lambda Developer Guide. Empty ones are
// not set here. The runtime API listens at address.
func (f Function) reserved(address string) map[string]string {
	return map[string]string{
		"_HANDLER":                        "bootstrap",
		"_X_AMZN_TRACE_ID":                "",
		"AWS_ACCESS_KEY":                  "",
		"AWS_ACCESS_KEY_ID":               "local",
		"AWS_DEFAULT_REGION":              Region,
		"AWS_EXECUTION_ENV":               "",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(cmp.Or(f.Memory, 128)),
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local/[$LATEST]" + strings.ReplaceAll(address, ":", "-"),
		"AWS_LAMBDA_RUNTIME_API":          address,
		"AWS_REGION":                      Region,
		"AWS_SECRET_ACCESS_KEY":           "local",
		"AWS_SESSION_TOKEN":               "local",
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"LAMBDA_TASK_ROOT":                filepath.Dir(f.Path),
	}
}

// environ is the environment of a process. It inherits nothing: a variable of the
// developer's shell must not change what a function does.
func (f Function) environ(address string) (list []string) {
	env := map[string]string{
		"AWS_LAMBDA_LOG_FORMAT": "JSON", // LoggingConfig in template.yaml
		"LANG":                  "en_US.UTF-8",
		"PATH":                  "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ":                    ":UTC",
	}
	maps.Copy(env, f.Env)
	for name, value := range f.reserved(address) {
		if value != "" {
			env[name] = value
		}
	}
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}
