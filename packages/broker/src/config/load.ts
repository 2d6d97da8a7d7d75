// From sources to a configuration that can be relied on, or to all that is wrong with it.

import { readEnvironment, type Environment } from './env.ts'
import { ConfigError } from './error.ts'
import { readConfigFile, type ConfigFile } from './file.ts'
import { mergeConfig, valueAt, withValue, type MergedConfig, type Values } from './merge.ts'
import { dottedName, optionsOf, type OptionPath } from './outline.ts'
import { placed, problemsOf, type ConfigProblem } from './problem.ts'
import { brokenRules } from './rules.ts'
import type { Setting } from './setting.ts'
import { brokerConfig, type BrokerConfig } from './config.ts'

export interface ConfigSources {
  /** Path of the configuration file; without one, none is read. */
  readonly file: string | undefined
  readonly environment: Environment
  readonly flags: readonly Setting[]
}

export interface LoadedConfig {
  readonly config: BrokerConfig
  /** What is allowed, but better otherwise. */
  readonly warnings: readonly string[]
}

/** @throws {ConfigError} with every problem of every source. */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const file = sources.file === undefined ? undefined : await readConfigFile(sources.file)
  const environment = readEnvironment(sources.environment, optionsOf(brokerConfig))
  const merged = mergeConfig(file, [...environment.settings, ...sources.flags])
  const { config, problems } = judge(merged)
  const all = [...environment.problems, ...problems].sort(inOrderOfPlace)
  if (config === undefined || all.length > 0) throw new ConfigError(all)
  return { config, warnings: warningsOf(config, { file, unknown: environment.unknown }) }
}

/** Line 9 comes before line 10. */
function inOrderOfPlace(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

interface Judgement {
  readonly config: BrokerConfig | undefined
  readonly problems: readonly string[]
}

function judge(merged: MergedConfig): Judgement {
  const parsed = brokerConfig.safeParse(merged.values)
  if (parsed.success) {
    return { config: parsed.data, problems: ruleProblems(parsed.data, merged, []) }
  }
  const refused = parsed.error.issues.flatMap((issue) => problemsOf(issue, merged))
  // The rules are checked on what is left, so that one look at the errors is enough.
  const rest = brokerConfig.safeParse(withoutRefused(merged.values, refused))
  const broken = rest.success
    ? ruleProblems(
        rest.data,
        merged,
        refused.map(({ path }) => path),
      )
    : []
  return { config: undefined, problems: [...refused.map(({ text }) => text), ...broken] }
}

function ruleProblems(
  config: BrokerConfig,
  merged: MergedConfig,
  refused: readonly OptionPath[],
): string[] {
  const isRefused = (path: OptionPath): boolean =>
    refused.some((prefix) => prefix.length > 0 && prefix.every((name, at) => path[at] === name))
  return brokenRules(config)
    .filter(({ path, reads }) => ![path, ...reads].some(isRefused))
    .map(({ path, reads, problem }) => {
      // What was set is to be pointed at, not what has its default.
      const set = [path, ...reads].find((read) => valueAt(merged.values, read) !== undefined)
      return placed(merged.placeOfValue(set ?? path), `${dottedName(path)} ${problem}`)
    })
}

function withoutRefused(values: Values, refused: readonly ConfigProblem[]): Values {
  let rest = values
  for (const { path, unknownKey } of refused) {
    rest =
      unknownKey === undefined
        ? withValue(rest, path, undefined)
        : without(rest, [...path, unknownKey])
  }
  return rest
}

function without(values: Values, path: OptionPath): Values {
  const [name, ...inner] = path
  if (name === undefined) return values
  const { [name]: value, ...others } = values
  return inner.length === 0 ? others : { ...others, [name]: without(value as Values, inner) }
}

function warningsOf(
  config: BrokerConfig,
  found: { readonly file: ConfigFile | undefined; readonly unknown: readonly string[] },
): string[] {
  const { file, unknown } = found
  const warnings: string[] = []
  if (file?.isWorldReadable === true && config.auth.tokens.length > 0) {
    warnings.push(
      `${file.path} holds hashes of tokens and may be read by anybody on this machine; chmod 640 it`,
    )
  }
  if (unknown.length > 0) {
    warnings.push(`environment variables that are no options of the broker: ${unknown.join(', ')}`)
  }
  return warnings
}
