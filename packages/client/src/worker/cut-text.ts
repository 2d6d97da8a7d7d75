// Texts that must fit a limit in bytes: cut at the end of a character.

/** The beginning of the text, in at most `bytesMax` bytes of UTF-8. */
export function cutText(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax) return text
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= bytesMax) return text
  let end = bytesMax
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1 // never half of a character
  return bytes.toString('utf8', 0, end)
}
