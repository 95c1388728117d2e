/**
 * What the labels say: how many there are, how far labellers agree, and how often the fused result and each expert are right, with intervals. The view
 * label_accuracy_v says of which posts; chosen labels are counted, and in no accuracy.
 */
import Type from 'typebox'
import type { Store } from '../../infra/store/store.ts'
import { type Task, tasks } from '../contract.ts'
import { type Cell, cohensKappa } from './kappa.ts'
import { labelOrigins } from './record.ts'

const Count = Type.Integer({ minimum: 0 })
const Share = Type.Number({ minimum: 0, maximum: 1 })

export const LabelStats = Type.Object({
  counted_at: Type.String({
    description:
      'RFC 3339 in UTC. The figures are those of now, unless there are so many labels that counting the newest takes longer than a request waits.',
  }),
  counts: Type.Array(
    Type.Object({
      task: Type.Enum(tasks),
      origin: Type.Enum(labelOrigins),
      labeller: Type.String(),
      labels: Count,
      posts: Count,
    }),
    { description: 'Repeated labels once, changed ones each time. The 200 largest.' },
  ),
  skips: Type.Array(
    Type.Object({ task: Type.Enum(tasks), labeller: Type.String(), posts: Count }),
    {
      description: 'Posts of the queue that a labeller left out: a sample with many holes is none.',
    },
  ),
  agreement: Type.Array(
    Type.Object({
      task: Type.Enum(tasks),
      labellers: Type.Array(Type.String(), { minItems: 2, maxItems: 2 }),
      posts: Type.Integer({ description: 'That both labelled; the newest label of each counts.' }),
      agreed: Share,
      kappa: Type.Union([Type.Number({ maximum: 1 }), Type.Null()], {
        description: "Cohen's kappa; null where chance alone would agree on everything.",
      }),
    }),
    { description: 'The 50 pairs of labellers with the most posts.' },
  ),
  accuracy: Type.Array(
    Type.Object({
      task: Type.Enum(tasks),
      kind: Type.String({ description: "'' for all kinds." }),
      sample: Type.Enum(['uniform', 'weighted'], {
        description:
          'uniform: the labels of the uniform draw. weighted: all labels from the queue by inverse probability, clipped at 200.',
      }),
      judge: Type.String({ description: "'fused', or the name of an expert." }),
      judge_version: Type.String({ description: "Of the expert; '' for fused." }),
      posts: Count,
      effective_posts: Type.Number({ description: 'A plain sample of this size says as much.' }),
      accuracy: Share,
      low: Type.Number({ description: "Lower end of Wilson's 95% interval." }),
      high: Type.Number({ description: 'Its upper end.' }),
    }),
  ),
})
export type LabelStats = Type.Static<typeof LabelStats>

const countsSql = `
SELECT task, origin, labeller, uniqExact(log_topic, partition, post_offset, label) AS labels, uniqExact(log_topic, partition, post_offset) AS posts
FROM labels GROUP BY task, origin, labeller ORDER BY labels DESC, task, origin, labeller LIMIT 200`

const skipsSql = `
SELECT task, labeller, uniqExact(log_topic, partition, post_offset) AS posts
FROM label_skips GROUP BY task, labeller ORDER BY posts DESC, task, labeller LIMIT 200`

/** Of a post with more labellers than these, the first by name: the pairs of all would grow with their square. */
const labellersOfPost = 20

const pairsSql = `
WITH arrayFlatten(arrayMap((one, i) -> arrayMap(other -> (one, other), arraySlice(votes, i + 1)), votes, arrayEnumerate(votes))) AS pairs
SELECT task, pair.1.1 AS one, pair.2.1 AS other, pair.1.2 AS first, pair.2.2 AS second, count() AS posts
FROM (
  SELECT task, arraySlice(arraySort(groupArray((labeller, vote))), 1, ${labellersOfPost}) AS votes
  FROM (
    SELECT log_topic, partition, post_offset, task, labeller, argMax(label, offset) AS vote
    FROM labels GROUP BY log_topic, partition, post_offset, task, labeller
  )
  GROUP BY log_topic, partition, post_offset, task
  HAVING count() > 1
)
ARRAY JOIN pairs AS pair
GROUP BY task, one, other, first, second
ORDER BY sum(posts) OVER (PARTITION BY task, one, other) DESC, task, one, other
LIMIT 20000`

const accuracySql = `
SELECT task, kind, sample, judge, judge_version, posts, effective_posts, accuracy, low, high
FROM label_accuracy_v ORDER BY task, kind, sample, judge != 'fused', judge, judge_version`

const maxPairs = 50

interface PairCell extends Cell {
  readonly task: Task
  readonly one: string
  readonly other: string
}

/** One after another, and not among the queries of pages: a million labels take ten seconds. */
export async function labelStats(
  store: Pick<Store, 'query'>,
): Promise<Omit<LabelStats, 'counted_at'>> {
  const rowsOf = <T>(sql: string) => store.query<T>(sql, {}, { lane: 'analyst' })
  const counts = await rowsOf<LabelStats['counts'][number]>(countsSql)
  const skips = await rowsOf<LabelStats['skips'][number]>(skipsSql)
  const agreement = agreementOf(await rowsOf<PairCell>(pairsSql))
  const accuracy = await rowsOf<LabelStats['accuracy'][number]>(accuracySql)
  return { counts, skips, agreement, accuracy }
}

/** Pairs stand in the order of their cells. */
function agreementOf(cells: readonly PairCell[]): LabelStats['agreement'] {
  const pairs = new Map<string, PairCell[]>()
  for (const cell of cells) {
    const key = JSON.stringify([cell.task, cell.one, cell.other])
    pairs.set(key, [...(pairs.get(key) ?? []), cell])
  }
  return [...pairs.values()].slice(0, maxPairs).flatMap((of) => {
    const [pair] = of
    if (pair === undefined) return []
    return [{ task: pair.task, labellers: [pair.one, pair.other], ...cohensKappa(of) }]
  })
}
