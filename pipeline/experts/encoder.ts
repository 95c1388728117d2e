/**
 * An encoder as an expert: worker processes read the texts (pipeline/workers/), calibration makes probabilities of what they answer.
 *
 * A text's probabilities are p = sum over its windows of tokens_w * map(logits_w) / sum of tokens_w, with the map of head and kind (logit-map.ts):
 * every window is judged by itself and counts by how much of the text it holds (docs/decisions/0055-windows-to-probabilities.md).
 */
import type { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import type { WorkerPool } from '../workers/pool.ts'
import type { Reading } from '../workers/protocol.ts'
import type { EncoderManifest } from './encoder-artifact.ts'
import { type Expert, type ExpertOutput, isLethal, type Spent } from './expert.ts'
import { type LogitMap, mapLogits } from './logit-map.ts'

export interface EncoderExpert extends Expert {
  /** Why it cannot answer now; undefined when it can. */
  health(): AppError | undefined
  spent(): Spent
}

/** Takes the pool over: closing the expert closes it. */
export function createEncoderExpert(deps: {
  readonly manifest: EncoderManifest
  readonly pool: Pick<WorkerPool, 'read' | 'health' | 'close' | 'stats'>
}): EncoderExpert {
  const { manifest, pool } = deps
  return {
    name: manifest.name,
    version: manifest.version,
    tasks: manifest.heads.map(({ task }) => task),
    isEncoder: true,
    async classify(batch, call) {
      const answers = await pool.read(
        batch.map(({ title, text }) => ({ title, text })),
        call,
      )
      return answers.map((answer, i) =>
        isLethal(answer) ? answer : calibrated(manifest.heads, answer, batch[i]?.kind ?? 'news'),
      )
    },
    health: () => pool.health(),
    spent() {
      const { texts, characters, computeMs } = pool.stats()
      return { texts, characters, computeMs }
    },
    close: () => pool.close(),
  }
}

type Head = EncoderManifest['heads'][number]

function calibrated(heads: readonly Head[], reading: Reading, kind: Post['kind']): ExpertOutput {
  return Object.fromEntries(
    headLogits(heads, reading).map(({ task, logits }, i) => {
      return [task, windowMean(logits, reading.windowTokens, mapOf(heads[i], kind))]
    }),
  )
}

/** A head's calibration of a kind; without a head none. */
export function mapOf(head: Head | undefined, kind: Post['kind']): LogitMap {
  return {
    temperature: head?.temperatures[kind] ?? 1,
    biases: head?.biases?.[kind] ?? [],
  }
}

/** The logits of a text by head, a row a window: what temperatures are fitted on. */
export function headLogits(
  heads: readonly Pick<Head, 'task' | 'labels'>[],
  reading: Reading,
): { readonly task: Task; readonly logits: readonly (readonly number[])[] }[] {
  const columns = heads.reduce((sum, { labels }) => sum + labels, 0)
  let first = 0
  return heads.map(({ task, labels }) => {
    const offset = first
    first += labels
    const logits = reading.windowTokens.map((_, window) => {
      const start = window * columns + offset
      return Array.from(reading.logits.subarray(start, start + labels))
    })
    return { task, logits }
  })
}

/** Mean of what the map makes of the windows' logits, weighted by their tokens. */
export function windowMean(
  logits: readonly (readonly number[])[],
  windowTokens: readonly number[],
  map: LogitMap,
): number[] {
  const total = windowTokens.reduce((sum, tokens) => sum + tokens, 0)
  const mean = new Array<number>(logits[0]?.length ?? 0).fill(0)
  logits.forEach((row, window) => {
    const share = (windowTokens[window] ?? 0) / total
    mapLogits(row, map).forEach((p, label) => {
      mean[label] = (mean[label] ?? 0) + share * p
    })
  })
  return mean
}
