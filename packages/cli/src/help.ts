// What stands under the help text of a command.

/** One example, as it is typed. */
export function example(command: string): string {
  return `\nExample:\n  ${command}`
}
