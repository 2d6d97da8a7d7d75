// Counts with their noun, and large numbers that can be read.

/** `1 task`, `2 tasks`, `10,000 tasks` */
export function showCount(count: number, noun: string): string {
  return `${showNumber(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `10,000` */
export function showNumber(value: number): string {
  return value.toLocaleString('en-US')
}
