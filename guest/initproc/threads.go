package initproc

import (
	"runtime"
	"sync"
)

// More than this process ever has in blocking calls at once: the signal watcher, stdin, the report, the poller, one running.
const warmThreadsCount = 6

// warmThreads makes the runtime start its threads now; it keeps them. Once a fork bomb has used up pids.max, a
// runtime that needs one more thread dies, and with it the report. Goroutines locked at the same time cannot share one.
func warmThreads() {
	release := make(chan struct{})
	var locked, done sync.WaitGroup
	locked.Add(warmThreadsCount)
	for range warmThreadsCount {
		done.Go(func() {
			runtime.LockOSThread()
			locked.Done()
			<-release
			runtime.UnlockOSThread()
		})
	}
	locked.Wait()
	close(release)
	done.Wait()
}
