// Loaded into a worker's heartbeat thread before anything else: writes down what that thread says.

import { HistoryWriter } from '../chaos/history-writer.ts'
import { tapConnections } from '../chaos/wire-tap.ts'

const path = process.env['CHAOS_HEARTBEAT_HISTORY']
if (path !== undefined) tapConnections(new HistoryWriter(path))
