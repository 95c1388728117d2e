/** Reads an open file on from a place, line by line, as it grows. The place is a byte behind a line's end, so that it can be kept over restarts. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { maxPostBytes } from '../contract.ts'
import { type Line, LineSplitter } from '../lines.ts'
import { shortHash } from './item.ts'
import type { SourceState } from './state.ts'

export type FilePlace = NonNullable<SourceState['file']>

const chunkBytes = 262_144
const longestHead = 256

export interface PlacedLine extends Line {
  /** Byte behind the line's end in the file. */
  readonly offset: number
}

export class FileReader {
  readonly #handle: FileHandle
  readonly #from: number
  readonly #splitter = new LineSplitter(maxPostBytes)
  readonly device: number
  readonly inode: number
  /** The first bytes as they were when they were read: a file that begins otherwise by now was written anew. */
  #head: Buffer
  /** Bytes read, an unfinished line included. */
  #position: number
  /** Behind the last whole line. */
  #offset: number

  private constructor(
    handle: FileHandle,
    { dev, ino }: { dev: number; ino: number },
    { from, head }: { from: number; head: Buffer },
  ) {
    this.#handle = handle
    this.device = dev
    this.inode = ino
    this.#from = from
    this.#head = head
    this.#position = from
    this.#offset = from
  }

  /** `from` Infinity: its end. */
  static async open(path: string, from: number): Promise<FileReader> {
    // Opening a pipe that nobody writes to would block a thread for ever.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw new Error('not a regular file')
      const start = Math.min(from, stats.size)
      const head = await headOf(handle, Math.min(longestHead, start))
      return new FileReader(handle, stats, { from: start, head })
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** The lines that are whole by now, a chunk of the file at a time. */
  async *lines(): AsyncGenerator<PlacedLine[]> {
    const buffer = Buffer.alloc(chunkBytes)
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, chunkBytes, this.#position)
      if (bytesRead === 0) return
      if (this.#head.length < longestHead && this.#position === this.#head.length)
        this.#head = Buffer.concat([this.#head, buffer.subarray(0, bytesRead)]).subarray(
          0,
          longestHead,
        )
      this.#position += bytesRead
      // The splitter keeps pieces of lines, and the buffer is used again.
      const lines = this.#splitter.push(Uint8Array.prototype.slice.call(buffer, 0, bytesRead))
      yield lines.map((line) => this.#placed(line))
    }
  }

  /** The line in hand, of a file that gets no end to it any more. */
  rest(): PlacedLine | undefined {
    const line = this.#splitter.finish()
    return line === undefined ? undefined : this.#placed(line)
  }

  place(): FilePlace {
    const headBytes = Math.min(this.#head.length, this.#offset)
    const head = hashOf(this.#head.subarray(0, headBytes))
    return { device: this.device, inode: this.inode, offset: this.#offset, head, headBytes }
  }

  /** Whether this is the file of the place, opened at it. */
  isAt(place: FilePlace): boolean {
    return (
      this.device === place.device &&
      this.inode === place.inode &&
      this.#from === place.offset &&
      hashOf(this.#head.subarray(0, place.headBytes)) === place.head
    )
  }

  /** Whether everything that was read still stands in the file: it was not emptied, and not written anew. */
  async isIntact(): Promise<boolean> {
    if ((await this.size()) < this.#position) return false
    return this.#head.equals(await headOf(this.#handle, this.#head.length))
  }

  #placed(line: Line): PlacedLine {
    this.#offset = this.#from + line.end
    return { ...line, offset: this.#offset }
  }
}

async function headOf(handle: FileHandle, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await handle.read(buffer, 0, bytes, 0)
  return buffer.subarray(0, bytesRead)
}

const hashOf = (bytes: Uint8Array): string => shortHash(bytes, 22)
