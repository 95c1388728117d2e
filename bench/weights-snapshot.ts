/** The state of the fold after a million records: time to fold, bytes, time to restore; and the cost of a look into the book. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../infra/clock.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import { WeightFold } from '../pipeline/allocator/weights/fold.ts'
import { bytesOf, labelled, model } from '../pipeline/allocator/weights/labels.fixture.ts'
import { modelSet } from '../pipeline/allocator/weights/model.ts'
import { decodeState, encodeState } from '../pipeline/allocator/weights/snapshot.ts'
import { createSnapshotTable } from '../pipeline/allocator/weights/snapshot-table.ts'

const records = 1_000_000
const looks = 1_000_000
const seed = 1
const languages = ['en', 'de', 'fr'] as const
const kinds = ['news', 'comment'] as const

export async function millionRecords(): Promise<string[]> {
  const random = seededRandom(seed)
  const fold = new WeightFold(model)
  const foldMs = timed(() => {
    for (let i = 0; i < records; i++)
      fold.fold(
        bytesOf(
          labelled({
            id: `post-${i}`,
            label: random() < 0.7 ? 0 : 1,
            origin: random() < 0.3 ? 'uniform' : 'informative',
            context: contextOf(random),
          }),
        ),
        i,
      )
  })
  const path = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
  const store = await openEmbeddedStore({ path })
  try {
    const table = createSnapshotTable(store, systemClock, modelSet(model))
    let text = ''
    const encodeMs = timed(() => {
      text = encodeState(fold.state)
    })
    const writing = performance.now()
    await table.write(records - 1, text)
    const writeMs = performance.now() - writing
    const restoring = performance.now()
    const [newest = -1] = await table.offsets()
    const state = decodeState((await table.read(newest)) ?? '', model)
    const restoreMs = performance.now() - restoring
    const isSame = state !== undefined && encodeState(state) === text
    return [
      `\n${records} records folded (seed ${seed}): ${((1_000 * foldMs) / records).toFixed(1)} us each, ${fold.state.seen.size} hashes of labels and posts`,
      `  snapshot: ${(text.length / 1e6).toFixed(1)} MB, made in ${encodeMs.toFixed(0)} ms, stored in ${writeMs.toFixed(0)} ms`,
      `  restored in ${restoreMs.toFixed(0)} ms, ${isSame ? 'the same to the bit' : 'ANOTHER STATE'}`,
    ]
  } finally {
    await store.close()
    rmSync(path, { recursive: true, force: true })
  }
}

/** Microseconds a post, of a book that is as old as the last label. */
export function bookCost(): string {
  const random = seededRandom(seed)
  const fold = new WeightFold(model)
  for (let i = 0; i < 2_000; i++)
    fold.fold(bytesOf(labelled({ id: `${i}`, context: contextOf(random) })), i)
  const contexts = Array.from({ length: 1_000 }, () => ({
    task: 'sentiment' as const,
    ...contextOf(random),
  }))
  let sum = 0
  const look = (i: number) => {
    const context = contexts[i % contexts.length]
    if (context !== undefined) sum += fold.book().weights(context).minilm ?? 0
  }
  const warmMs = timed(() => {
    for (let i = 0; i < looks; i++) look(i)
  })
  const fresh = 20_000
  const repeated = bytesOf(labelled({ id: '0' }))
  const foldOnly = timed(() => {
    for (let i = 0; i < fresh; i++) fold.fold(repeated, i)
  })
  const coldMs = timed(() => {
    for (let i = 0; i < fresh; i++) {
      fold.fold(repeated, i)
      look(i)
    }
  })
  const us = (ms: number, count: number) => ((1_000 * ms) / count).toFixed(2)
  return `\na look into the book: ${us(warmMs, looks)} us a post and task (${looks} looks, mean weight ${(sum / (looks + fresh)).toFixed(2)}); the first one after a label ${us(coldMs - foldOnly, fresh)} us`
}

function contextOf(random: () => number) {
  return {
    kind: kinds[Math.floor(random() * kinds.length)] ?? 'news',
    language: languages[Math.floor(random() * languages.length)] ?? 'en',
    textLength: Math.floor(random() * 300),
  }
}

function timed(work: () => void): number {
  const began = performance.now()
  work()
  return performance.now() - began
}
