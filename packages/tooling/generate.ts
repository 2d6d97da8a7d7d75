// Writes the generated files and parts: run it after changing an option, a metric or a log event.

import { writeFile } from 'node:fs/promises'
import { generatedFiles } from './generated-files.ts'
import { ROOT } from './repository.ts'

for (const { path, text } of await generatedFiles()) {
  await writeFile(`${ROOT}/${path}`, text)
  process.stdout.write(`${path}\n`)
}
