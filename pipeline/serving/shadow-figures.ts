/** How an expert that does not vote fares beside those that do. Agreement needs no labels and says nothing of who is right; accuracy does. */
import Type from 'typebox'
import type { Store } from '../../infra/store/store.ts'
import { type Task, tasks } from '../contract.ts'
import { Difference, pairedDifference, proportion, Share } from './intervals.ts'

export const ShadowFigures = Type.Object({
  task: Type.Enum(tasks),
  posts: Type.Integer({ description: 'On which it ran.' }),
  ran: Type.Union([Type.Number(), Type.Null()], {
    description: 'Share of the posts scored since it first ran.',
  }),
  agreement: {
    ...Share,
    description: 'Of the posts on which it ran: its likeliest label is the one that was shown.',
  },
  agreementWith: Type.Record(Type.String(), Share, {
    description: 'By expert that ran beside it.',
  }),
  shownAccuracy: Share,
  shadowAccuracy: {
    ...Share,
    description:
      'Both on the posts labelled from the uniform draw whose label holds what the shadow says.',
  },
  accuracyDifference: Type.Union([Difference, Type.Null()], {
    description: 'shadow - shown, on the same labels.',
  }),
})
export type ShadowFigures = Type.Static<typeof ShadowFigures>

interface ExpertVersion {
  readonly name: string
  readonly version: string
}

/** Posts with a label of the random share that hold the probabilities of the expert, for the task that every expert judges. */
export async function uniformLabels(
  store: Pick<Store, 'query'>,
  expert: ExpertVersion,
): Promise<number> {
  const { both, shadowOnly, shownOnly, neither } = await pairsOn(store, expert, 'sentiment')
  return both + shadowOnly + shownOnly + neither
}

/** One entry a task. */
export async function shadowFigures(
  store: Pick<Store, 'query'>,
  expert: ExpertVersion,
  logTopic: string,
): Promise<ShadowFigures[]> {
  return Promise.all(tasks.map((task) => figuresOn(store, expert, logTopic, task)))
}

async function figuresOn(
  store: Pick<Store, 'query'>,
  expert: ExpertVersion,
  logTopic: string,
  task: Task,
): Promise<ShadowFigures> {
  const params = { ...expert, task, logTopic }
  const [total] = await store.query<{ posts: number; agreed: number; first: string }>(
    `SELECT count() AS posts, countIf(agrees) AS agreed, min(appended_at) AS first FROM shadow_posts_v
     WHERE expert = {name:String} AND expert_version = {version:String} AND task = {task:String} AND log_topic = {logTopic:String}`,
    params,
  )
  const { posts = 0, agreed = 0, first = '' } = total ?? {}
  const peers = await store.query<{ name: string; n: number; agreed: number }>(
    `SELECT name, count() AS n, countIf(agreed) AS agreed FROM shadow_posts_v ARRAY JOIN peer AS name, peer_agrees AS agreed
     WHERE expert = {name:String} AND expert_version = {version:String} AND task = {task:String} AND log_topic = {logTopic:String}
     GROUP BY name ORDER BY name`,
    params,
  )
  const { both, shadowOnly, shownOnly, neither } = await pairsOn(store, expert, task)
  const labelled = both + shadowOnly + shownOnly + neither
  return {
    task,
    posts,
    ran: posts === 0 ? null : posts / (await scoredSince(store, logTopic, first)),
    agreement: proportion(agreed, posts),
    agreementWith: Object.fromEntries(
      peers.map((peer) => [peer.name, proportion(peer.agreed, peer.n)]),
    ),
    shownAccuracy: proportion(both + shownOnly, labelled),
    shadowAccuracy: proportion(both + shadowOnly, labelled),
    accuracyDifference: pairedDifference({ onlyA: shadowOnly, onlyB: shownOnly, n: labelled }),
  }
}

async function scoredSince(
  store: Pick<Store, 'query'>,
  logTopic: string,
  first: string,
): Promise<number> {
  const [row] = await store.query<{ n: number }>(
    `SELECT count() AS n FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 AND outcome = 'scored' AND appended_at >= {first:DateTime64(3, 'UTC')}`,
    { logTopic, first },
  )
  return row?.n ?? 0
}

interface Pairs {
  readonly both: number
  readonly shadowOnly: number
  readonly shownOnly: number
  readonly neither: number
}

/** Who was right, on the same labels. */
async function pairsOn(
  store: Pick<Store, 'query'>,
  expert: ExpertVersion,
  task: Task,
): Promise<Pairs> {
  const [pairs] = await store.query<Pairs>(
    `SELECT countIf(shadow AND shown) AS both, countIf(shadow AND NOT shown) AS shadowOnly,
            countIf(shown AND NOT shadow) AS shownOnly, countIf(NOT shown AND NOT shadow) AS neither
     FROM
     (
         SELECT
             anyIf(is_right, judge = 'fused') AS shown,
             anyIf(is_right, judge = {name:String} AND judge_version = {version:String}) AS shadow
         FROM label_judges_v
         WHERE origin = 'uniform' AND task = {task:String}
         GROUP BY log_topic, partition, post_offset
         HAVING countIf(judge = 'fused') > 0 AND countIf(judge = {name:String} AND judge_version = {version:String}) > 0
     )`,
    { ...expert, task },
  )
  return pairs ?? { both: 0, shadowOnly: 0, shownOnly: 0, neither: 0 }
}
