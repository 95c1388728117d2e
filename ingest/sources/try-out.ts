/** One reading of a source that leaves nothing behind: what it would hand over, and what is wrong with it. */
import type { Clock } from '../../infra/clock.ts'
import type { SourceConfig } from '../../infra/config-sources.ts'
import { describeError } from '../../infra/errors.ts'
import type { Post } from '../contract.ts'
import { type Delivery, judge } from './delivery.ts'
import type { Source } from './source.ts'

export interface Trial {
  readonly name: string
  readonly owner: string
  readonly posts: readonly Post[]
  readonly refused: readonly { readonly origin: string; readonly reason: string }[]
  readonly oddities: readonly string[]
  readonly error?: string
}

/** Never rejects. `lines`: of a source without an end, about as many of its last rows. */
export async function tryOut(
  { name, owner }: SourceConfig,
  source: Source,
  options: { readonly clock: Clock; readonly lines: number; readonly timeoutMs: number },
): Promise<Trial> {
  const { clock, lines, timeoutMs } = options
  const posts: Post[] = []
  const refused: { origin: string; reason: string }[] = []
  const oddities: string[] = []
  const delivery: Delivery = {
    async deliver(rows) {
      const judged = judge(rows, clock())
      posts.push(...judged.posts)
      refused.push(...judged.refused.map(({ row, reason }) => ({ origin: row.origin, reason })))
      return { accepted: judged.posts.length, refused: judged.refused.length }
    },
  }
  const found = { name, owner, posts, refused, oddities }
  try {
    await source.preview(
      {
        delivery,
        signal: AbortSignal.timeout(timeoutMs),
        outageMs: 0,
        load: async () => ({}),
        save: async () => undefined,
        onReading: () => undefined,
        onOddity: (message) => oddities.push(message),
      },
      Math.max(lines, 1),
    )
    return found
  } catch (error) {
    return { ...found, error: describeError(error) }
  }
}
