// The smallest part of a failing input that still fails.

/** Leaves out pieces, ever smaller ones, as long as the rest still fails. */
export async function minimised<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => boolean | Promise<boolean>,
  triesMax = 2_000,
): Promise<readonly T[]> {
  let least = items
  let tries = 0
  for (let piece = Math.ceil(least.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < least.length && tries < triesMax;) {
      const less = [...least.slice(0, at), ...least.slice(at + piece)]
      tries += 1
      if (less.length > 0 && (await fails(less))) least = less
      else at += piece
    }
  }
  return least
}
