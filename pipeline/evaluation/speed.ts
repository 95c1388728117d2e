/** How many texts a judge reads in a second, in batches as the pipeline makes them, by the wall clock. */
import type { JudgedPost } from '../allocator/analyst.ts'
import { batchSize } from './judge-lines.ts'

/** Of this machine under its present load. `nowMs` may be any monotonic clock. Without texts NaN. */
export async function textsPerSecond(
  read: (batch: readonly JudgedPost[]) => Promise<unknown>,
  posts: readonly JudgedPost[],
  nowMs: () => number,
): Promise<number> {
  const start = nowMs()
  for (let at = 0; at < posts.length; at += batchSize) await read(posts.slice(at, at + batchSize))
  return (posts.length / (nowMs() - start)) * 1_000
}
