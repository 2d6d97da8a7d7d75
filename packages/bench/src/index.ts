// The face of @tq/bench: what a program may want to repeat.

export { filesUnder, type InputFile } from './demo/files.ts'
