// Waiting for what the event loop is about to bring, without a clock.

/** Resolves when `holds` does, looking after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
