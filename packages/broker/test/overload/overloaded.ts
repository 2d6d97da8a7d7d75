// Whether a broker was really asked for more than it can do: otherwise a run says nothing.

/** A broker that does nearly all that it is asked for has not been overloaded. */
const DONE_SHARE_MAX = 0.9

/** @param offered Enqueues and completions a second; as `goodput`. */
export function overloadOf(
  offered: number,
  goodput: number,
): { readonly isOverloaded: boolean; readonly why: string } {
  const share = Math.round((100 * goodput) / offered)
  const why = `it was not overloaded: it did ${share} % of what was offered; give it more SECONDS`
  return { isOverloaded: goodput <= DONE_SHARE_MAX * offered, why }
}
