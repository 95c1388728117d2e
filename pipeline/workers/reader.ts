/** What a worker does with the texts of a job: clean, tokenize, cut into windows, batch, run, and put the logits back in order. */
import { cleanText } from '../text/clean.ts'
import { planBatches } from './batches.ts'
import type { Done, Reading, TextToRead } from './protocol.ts'
import type { Session } from './session.ts'
import type { Tokenizer } from './tokenizer.ts'
import { windowsOf } from './windows.ts'

export interface ReaderOptions {
  readonly tokenizer: Tokenizer
  readonly session: Session
  readonly windowTokens: number
  readonly overlapTokens: number
  readonly maxBatchTokens: number
}

export type Result = Pick<Done, 'readings' | 'tokens' | 'batches'>

export interface Reader {
  /** One reading a text, in order. Any string can be read. Rejects when a logit is no number: float16 can overflow, and one such row would spoil every mean it enters. */
  read(texts: readonly TextToRead[]): Promise<Result>
}

export function createReader(options: ReaderOptions): Reader {
  const { tokenizer, session, maxBatchTokens } = options
  const { opening, closing } = tokenizer
  const shape = { ...options, opening, closing }

  async function read(texts: readonly TextToRead[]): Promise<Result> {
    const windowsByText = texts.map(({ text, title }) =>
      windowsOf(tokenizer.tokenize(cleanText(text, title)), shape),
    )
    const windows = windowsByText.flat()
    const batches = planBatches(
      windows.map((window) => window.length),
      maxBatchTokens,
    )
    const rows: Float32Array[] = []
    let padded = 0
    for (const batch of batches) {
      const members = batch.windows.map((at) => windows[at] ?? new Int32Array())
      const logits = await session.run(members, batch.length)
      if (!logits.every(Number.isFinite)) throw new RangeError('a logit is not a finite number')
      const columns = logits.length / members.length
      batch.windows.forEach((at, row) => {
        rows[at] = logits.subarray(row * columns, (row + 1) * columns)
      })
      padded += batch.length * members.length
    }
    const real = windows.reduce((sum, window) => sum + window.length, 0)
    return {
      readings: readingsOf(windowsByText, rows),
      tokens: { real, padded },
      batches: batches.length,
    }
  }

  return { read }
}

function readingsOf(
  windowsByText: readonly (readonly Int32Array[])[],
  rows: readonly Float32Array[],
): Reading[] {
  let next = 0
  return windowsByText.map((windows) => {
    const own = rows.slice(next, next + windows.length)
    next += windows.length
    return { windowTokens: windows.map((window) => window.length), logits: concatenate(own) }
  })
}

/** A copy of its own: a view would send the whole batch to the parent with every text. */
function concatenate(rows: readonly Float32Array[]): Float32Array {
  const length = rows.reduce((sum, row) => sum + row.length, 0)
  const whole = new Float32Array(length)
  let at = 0
  for (const row of rows) {
    whole.set(row, at)
    at += row.length
  }
  return whole
}
