// Package lambda runs built Lambda functions on this machine as Lambda runs them: each
// execution environment is a process that is served the runtime API and gets one call
// at a time.
//
// An [Environment] is one execution environment. A [Service] is the Invoke API over
// many: it starts an environment whenever a call finds none idle, as Lambda does. A
// [Mapping] feeds a function from an SQS queue.
//
// Time is where a stand-in deceives most easily. A function's Timeout runs from the
// moment it is handed the event, and its start is not part of it; but whoever waits
// for the answer, Cognito for one, waits through both. Memory is not enforced, and a
// process is not frozen between calls.
//
// The protocol is that of "Using the Lambda runtime API for custom runtimes", the
// phases and their limits those of "Understanding the Lambda execution environment
// lifecycle", both in the Lambda Developer Guide.
package lambda
