#!/usr/bin/env node
// The command tq-broker: sizes libuv's pool of threads, then runs main.

// A commit holds one of these threads for the time of a sync, and reads must not wait behind it. The
// pool is made by the first use of it, which is the loading of the first ES module: so this file is
// none, and main cannot do it.
process.env['UV_THREADPOOL_SIZE'] ??= '8'

void import('./main.ts')
