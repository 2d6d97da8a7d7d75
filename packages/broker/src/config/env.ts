// The configuration's second source: environment variables that begin with TQ_.

import type { OutlineOption } from './outline.ts'
import { variableName } from './outline.ts'
import { settingOf, type Setting } from './setting.ts'
import { nearestName } from './suggestion.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Names the configuration file, as the flag --config does. */
export const CONFIG_VARIABLE = 'TQ_CONFIG'

/** Variables of the SDK's programs, which often share an environment with the broker. */
const OF_CLIENTS: readonly string[] = ['TQ_ADDRESS', 'TQ_TOKEN', 'TQ_MODULE', 'TQ_QUEUES']

export interface EnvironmentReading {
  readonly settings: readonly Setting[]
  readonly problems: readonly string[]
  /** Variables that this broker does not know, perhaps another program's. */
  readonly unknown: readonly string[]
}

/**
 * Reads the variables of the options. An empty one counts as not set. A name that is almost that of
 * an option is a problem; any other may belong to another program, or come from Kubernetes.
 */
export function readEnvironment(
  environment: Environment,
  options: readonly OutlineOption[],
): EnvironmentReading {
  const byName = new Map(options.map((option) => [variableName(option.path), option]))
  const settings: Setting[] = []
  const problems: string[] = []
  const unknown: string[] = []
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('TQ_') || name === CONFIG_VARIABLE) continue
    if (OF_CLIENTS.includes(name)) continue
    if (text === undefined || text === '') continue
    const option = byName.get(name)
    if (option !== undefined) {
      settings.push(settingOf(option, placeOf(name, text), text))
      continue
    }
    const near = nearestName(name, byName.keys())
    if (near === undefined) unknown.push(name)
    else problems.push(`${name}: there is no such option; did you mean ${near}?`)
  }
  return { settings, problems, unknown }
}

function placeOf(name: string, text: string): string {
  if (!/^(tcp|udp):\/\//.test(text)) return name
  return `${name} (set by Kubernetes for a Service of that name? then enableServiceLinks: false)`
}
