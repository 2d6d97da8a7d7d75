// The first quarter of the worlds that every change is tried in.

import { tryWorlds } from './worlds.ts'

tryWorlds(1)
