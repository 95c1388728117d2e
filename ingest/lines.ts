/** NDJSON as bytes to lines. (The usual line splitters drop an overlong line without a word, or fail the whole stream.) */

export interface Line {
  /** From 1. Blank lines count, though they are not delivered. */
  readonly number: number
  /** Bytes of the source up to the end of this line. */
  readonly end: number
  /** Without its line end; undefined when the line is longer than the bound. */
  readonly bytes: Uint8Array | undefined
}

const lineFeed = 0x0a

/** The lines of each chunk that are not blank. Never holds more of a line than `maxBytes` and one chunk. */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter(maxBytes)
  for await (const chunk of source) {
    const lines = splitter.push(chunk)
    if (lines.length > 0) yield lines
  }
  const last = splitter.finish()
  if (last !== undefined) yield [last]
}

/** Lines of one source, fed piece by piece. */
export class LineSplitter {
  readonly #maxBytes: number
  #number = 0
  #end = 0
  /** The line so far, in the pieces it came in; empty once it is overlong. */
  #pieces: Uint8Array[] = []
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that the chunk ends. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = []
    let from = 0
    for (;;) {
      const at = chunk.indexOf(lineFeed, from)
      if (at === -1) break
      this.#add(chunk.subarray(from, at))
      this.#end++
      const line = this.finish()
      if (line !== undefined) lines.push(line)
      from = at + 1
    }
    this.#add(chunk.subarray(from))
    return lines
  }

  /** Ends the line in hand; undefined when it is blank. */
  finish(): Line | undefined {
    const length = this.#length
    const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#length = 0
    this.#number++
    const position = { number: this.#number, end: this.#end }
    if (length > this.#maxBytes) return { ...position, bytes: undefined }
    return bytes === undefined || isBlank(bytes) ? undefined : { ...position, bytes }
  }

  #add(piece: Uint8Array): void {
    this.#end += piece.byteLength
    this.#length += piece.byteLength
    if (this.#length > this.#maxBytes) this.#pieces = []
    else if (piece.byteLength > 0) this.#pieces.push(piece)
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
