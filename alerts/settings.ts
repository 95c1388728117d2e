/** The rule's numbers, chosen on two streams of tweets: docs/decisions/0031-negative-volume.md tells how. */
import type { Config } from '../infra/config.ts'
import type { FoldOptions } from './fold.ts'

const dayMs = 86_400_000
const bucketsAWindow = 6

export function foldOptions(
  { bucketMs }: Pick<Config['alerts'], 'bucketMs'>,
  { instrumentName, publicUrl }: Pick<FoldOptions, 'instrumentName' | 'publicUrl'>,
): FoldOptions {
  return {
    bucketMs,
    publicUrl,
    instrumentName,
    stories: { memoryMs: 10 * bucketsAWindow * bucketMs, capacity: 20_000 },
    volume: {
      halfLife: dayMs / bucketMs,
      overlap: bucketsAWindow,
      falseAlarmsADay: 1,
      windowsADay: dayMs / bucketMs,
      minNegativePosts: 5,
      minStories: 5,
      minAuthors: 3,
    },
  }
}
