/** What an encoder says of texts, before calibration: by the artifact that ships and the workers that serve it, or out of fold, as training left it in a file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import { systemClock } from '../../infra/clock.ts'
import { loadConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { packageRoot } from '../../infra/package-root.ts'
import type { Task } from '../contract.ts'
import { headLogits, windowMean } from '../experts/encoder.ts'
import { readEncoderManifest } from '../experts/encoder-artifact.ts'
import { isLethal } from '../experts/expert.ts'
import { logarithms } from '../experts/probabilities.ts'
import { workerThreads } from '../experts/registry.ts'
import { commentFoldCount } from '../fitting/splits.ts'
import { startWorkerPool } from '../workers/pool.ts'
import { forkWorker } from '../workers/worker-process.ts'

export type TaskLogits = Readonly<Partial<Record<Task, readonly number[]>>>

const textsACall = 512

/**
 * Of each text, in order. Of a text in several windows they are the logarithms of its mean probabilities, which a temperature does not map quite as it
 * does the windows'. Few labelled texts are as long.
 */
export async function readLogits(folder: string, texts: readonly string[]): Promise<TaskLogits[]> {
  const { heads } = readEncoderManifest(folder)
  const { maxBatchTokens, minSpeedup, memoryMegabytes } = loadConfig({ env: {} }).pipeline.workers
  const pool = await startWorkerPool({
    count: 1,
    start: forkWorker({
      options: { folder, provider: 'cpu', threads: workerThreads, maxBatchTokens, minSpeedup },
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: textsACall, bytes: Number.POSITIVE_INFINITY },
    memoryBytes: memoryMegabytes * 2 ** 20,
    clock: systemClock,
    logger: silentLogger,
  })
  const logits: TaskLogits[] = []
  try {
    for (let at = 0; at < texts.length; at += textsACall) {
      const batch = texts.slice(at, at + textsACall).map((text) => ({ title: '', text }))
      for (const reading of await pool.read(batch)) {
        if (isLethal(reading))
          throw new RangeError(`A labelled text has ended its reader: ${reading.lethal}`)
        const entries = headLogits(heads, reading).map(({ task, logits: windows }) => [
          task,
          logarithms(windowMean(windows, reading.windowTokens, { temperature: 1, biases: [] })),
        ])
        logits.push(Object.fromEntries(entries))
      }
    }
  } finally {
    await pool.close()
  }
  return logits
}

const OutOfFoldRow = Type.Object({
  /** Of the text, as in the lists of the splits. */
  id: Type.String({ pattern: '^[0-9a-f]{16}$' }),
  /** Which no row of taught the model that judged it. */
  fold: Type.Integer({ minimum: 0, maximum: commentFoldCount - 1 }),
  logits: Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }),
})
type OutOfFoldRow = Static<typeof OutOfFoldRow>

/** What the encoder's out-of-fold models said of the comments. */
export function outOfFoldFile(encoder: string): string {
  return join(packageRoot, `pipeline/training/out-of-fold/${encoder}-comments.ndjson`)
}

/**
 * Sentiment logits by text id. Throws when the file has a row of another shape, two of one comment, or one of another fold than the committed one:
 * it was in the training set.
 */
export function readOutOfFold(
  file: string,
  folds: ReadonlyMap<string, number>,
): Map<string, readonly number[]> {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): OutOfFoldRow => Value.Parse(OutOfFoldRow, JSON.parse(line)))
  const stray = rows.find(({ id, fold }) => folds.get(id) !== fold)
  if (stray !== undefined) throw new RangeError(`Comment ${stray.id} is not of fold ${stray.fold}`)
  const logitsOf = new Map(rows.map(({ id, logits }) => [id, logits]))
  const twice = rows.find(({ id, logits }) => logitsOf.get(id) !== logits)
  if (twice !== undefined) throw new RangeError(`Comment ${twice.id} stands there twice`)
  return logitsOf
}
