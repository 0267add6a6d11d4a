package reconcile

import "runtime/debug"

// SetGC lets the garbage collector run less often, while the memory is below 100 MB. A
// reconcile keeps little and allocates much. It is for the main function of a program.
func SetGC() {
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(100 << 20)
}
