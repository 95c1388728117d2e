/** The rule's numbers, chosen on two streams of tweets: docs/decisions/0031-negative-volume.md tells how. */
import type { Config } from '../infra/config.ts'
import type { FoldOptions } from './fold.ts'

const dayMs = 86_400_000
/** A minute, two and four, in buckets of 10 s. */
const windows = [6, 12, 24]
const storyMemoryBuckets = 60
const calmBuckets = 6

export function foldOptions(
  { bucketMs }: Pick<Config['alerts'], 'bucketMs'>,
  { instrumentName, publicUrl }: Pick<FoldOptions, 'instrumentName' | 'publicUrl'>,
): FoldOptions {
  return {
    bucketMs,
    publicUrl,
    instrumentName,
    stories: { memoryMs: storyMemoryBuckets * bucketMs, capacity: 20_000 },
    states: { calmBuckets },
    volume: {
      halfLife: dayMs / bucketMs,
      windows,
      falseAlarmsADay: 1,
      windowsADay: dayMs / bucketMs,
      minNegativePosts: 5,
      minStories: 5,
      minAuthors: 3,
    },
  }
}
