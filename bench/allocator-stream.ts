/** Labelled posts as a stream, with what every expert says of each, read once: what the allocator's strategies are played on. */
import { seededRandom } from '../infra/seeded-random.ts'
import type { JudgedPost } from '../pipeline/allocator/analyst.ts'
import { type Task, tasks } from '../pipeline/contract.ts'
import { batchSize, toPost } from '../pipeline/evaluation/judge-lines.ts'
import { unhurried } from '../pipeline/evaluation/panel.ts'
import { type Expert, type ExpertOutput, isLethal } from '../pipeline/experts/expert.ts'
import { clusterIds, type SplitName } from '../pipeline/fitting/splits.ts'
import type { Corpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

export interface LabelledPost {
  readonly post: JudgedPost
  /** Which its label is of; all tasks are judged. */
  readonly task: Task
  readonly label: number
  /** Of near-duplicates. */
  readonly cluster: number
  /** By expert. */
  readonly answers: Readonly<Record<string, ExpertOutput>>
}

export interface Reading {
  readonly posts: readonly LabelledPost[]
  /** Milliseconds a text by the wall clock, by expert: for the reader, nothing depends on it. */
  readonly wallMs: Readonly<Record<string, number>>
}

/** Tweets with a sentiment, tweets with a topic and comments of a split, in the order of the files. Trained experts judge the sentiment of comments out of fold. */
export async function readStream(
  corpus: Corpus,
  experts: readonly Expert[],
  split: Extract<SplitName, 'fit' | 'report'>,
): Promise<Reading> {
  const rows: (readonly [Task, Example])[] = [
    ...corpus.rows(split, 'tweets', 'comments').map((row) => ['sentiment', row] as const),
    ...corpus.rows(split, 'topics').map((row) => ['topic', row] as const),
  ]
  const examples = rows.map(([, example]) => example)
  const inputs = examples.map(postOf)
  const answers = inputs.map((): Record<string, ExpertOutput> => ({}))
  const wallMs: Record<string, number> = {}
  for (const expert of experts) {
    const startedAt = performance.now()
    const said = await readAll(expert, inputs)
    wallMs[expert.name] = (performance.now() - startedAt) / inputs.length
    for (const [i, answer] of said.entries()) answers[i] = { ...answers[i], [expert.name]: answer }
  }
  const commentRows = [...examples.keys()].filter((i) => examples[i]?.kind === 'comment')
  for (const expert of outOfFoldExperts(experts, corpus)) {
    const said = await readAll(
      expert,
      commentRows.flatMap((i) => inputs[i] ?? []),
    )
    commentRows.forEach((row, i) => {
      const answer = { ...answers[row]?.[expert.name], ...said[i] }
      answers[row] = { ...answers[row], [expert.name]: answer }
    })
  }
  const clusters = clusterNumbers(examples)
  return {
    posts: rows.map(([task, example], i) => ({
      post: inputs[i] ?? postOf(example, i),
      task,
      label: example[task],
      cluster: clusters[i] ?? -1,
      answers: answers[i] ?? {},
    })),
    wallMs,
  }
}

function postOf({ kind, text, source }: Example, offset: number): JudgedPost {
  return { ...toPost({ kind, text, title: '' }, offset), source }
}

async function readAll(expert: Expert, inputs: readonly JudgedPost[]): Promise<ExpertOutput[]> {
  const said: ExpertOutput[] = []
  for (let at = 0; at < inputs.length; at += batchSize)
    for (const answer of await expert.classify(inputs.slice(at, at + batchSize), unhurried)) {
      if (isLethal(answer)) throw new RangeError(`${expert.name} must not read a labelled text`)
      said.push(answer)
    }
  return said
}

function clusterNumbers(examples: readonly Example[]): number[] {
  const clusters = clusterIds(examples)
  const numbers = new Map<string, number>()
  return examples.map(({ id }) => {
    const cluster = clusters.get(id) ?? id
    const number = numbers.get(cluster) ?? numbers.size
    numbers.set(cluster, number)
    return number
  })
}

/** Sources interleaved, in an order of chance. */
export function shuffled(posts: readonly LabelledPost[], seed: number): LabelledPost[] {
  const random = seededRandom(seed)
  return inOrderOf(posts, () => random())
}

/** As `shuffled`, but bad news and comments come late: most in the second half. */
export function driftingMix(posts: readonly LabelledPost[], seed: number): LabelledPost[] {
  const random = seededRandom(seed)
  return inOrderOf(posts, ({ task, label, post }) => {
    const isLate = post.kind === 'comment' || (task === 'sentiment' && label === 0)
    return random() ** (isLate ? 0.4 : 1)
  })
}

/** From the first to the second share of the stream, the expert says of each post what it said of another one. */
export function corrupted(
  posts: readonly LabelledPost[],
  expert: string,
  [from, to]: readonly [number, number],
): LabelledPost[] {
  const [first, end] = [Math.floor(from * posts.length), Math.floor(to * posts.length)]
  return posts.map((labelled, i) => {
    if (i < first || i >= end) return labelled
    const wrong = misled(labelled.answers[expert] ?? {})
    return { ...labelled, answers: { ...labelled.answers, [expert]: wrong } }
  })
}

/** Each label's probability goes to the next label. */
function misled(answer: ExpertOutput): ExpertOutput {
  return Object.fromEntries(
    tasks.flatMap((task) => {
      const probabilities = answer[task]
      if (probabilities === undefined) return []
      return [[task, [probabilities.at(-1) ?? 0, ...probabilities.slice(0, -1)]]]
    }),
  )
}

/** Positions are those of the stream, since draws depend on them. */
function inOrderOf(
  posts: readonly LabelledPost[],
  rank: (labelled: LabelledPost) => number,
): LabelledPost[] {
  return posts
    .map((labelled) => ({ labelled, at: rank(labelled) }))
    .sort((a, b) => a.at - b.at)
    .map(({ labelled }, offset) => {
      const position = { ...labelled.post.position, offset }
      return { ...labelled, post: { ...labelled.post, position } }
    })
}
