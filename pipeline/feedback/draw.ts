/**
 * Which posts enter the label queue, decided when they are scored: a hash of the position against probabilities that the row itself gives.
 *
 * A share of the queue is drawn uniformly: every post has the same chance, so these labels are a sample of the stream. The rest is Poisson
 * sampling with chances in proportion to what a label would teach. Both draws split one random number, so a post stands in the queue once, with
 * probability p_uniform + p_informative. That sum never falls below p_uniform: inverse-probability weights are bounded by 1 / p_uniform
 * ("defensive" importance sampling, Hesterberg 1995, Technometrics 37).
 */
import { type DrawPosition, draw } from '../../infra/position-draw.ts'
import type { Post } from '../../ingest/contract.ts'
import type { Judgement } from '../allocator/judgement.ts'
import { type AnalysisRow, type LabelDraw, sentiments } from '../contract.ts'

export interface LabelRates {
  /** Of all live posts: expected share that enters the queue. */
  readonly share: number
  /** Of the queue: share drawn uniformly. */
  readonly uniformShare: number
}

export type DrawColumns = Pick<AnalysisRow, 'label_draw' | 'label_probability'>

export const notDrawn: DrawColumns = { label_draw: '', label_probability: 0 }

/** What an informativeness needs of a judgement; a row of `analyses` has it too. */
export type Judged = Pick<
  Judgement,
  'confidence' | `experts.${'task' | 'probabilities' | 'ran' | 'shadow'}`
>

/** Mean informativeness of the posts of a kind, as `node dist/bench/label-draw.js DATA_FOLDER` prints it for the split `fit`. */
export const meanInformativeness: Readonly<Record<Post['kind'], number>> = {
  news: 0.157,
  comment: 0.2618,
}

/** Imported history is not the stream: it is never drawn. */
export function drawLabel(
  rates: LabelRates,
  post: Pick<Post, 'kind' | 'history'>,
  judged: Judged,
  position: DrawPosition,
): DrawColumns {
  if (post.history) return notDrawn
  const { uniform, queue } = probabilities(rates, post.kind, judged)
  const at = draw('label', position)
  if (at >= queue) return notDrawn
  const label_draw: LabelDraw = at < uniform ? 'uniform' : 'informative'
  return { label_draw, label_probability: queue }
}

/** P(drawn uniformly) and P(in the queue), to the 32 bits of the row. */
export function probabilities(
  { share, uniformShare }: LabelRates,
  kind: Post['kind'],
  judged: Judged,
): { readonly uniform: number; readonly queue: number } {
  const uniform = Math.fround(share * uniformShare)
  const scale = (share * (1 - uniformShare)) / meanInformativeness[kind]
  const queue = Math.fround(Math.min(1, uniform + scale * informativeness(judged)))
  return { uniform, queue }
}

/**
 * From 0 to 1, the mean of two measures of active learning: least confidence of the result (Lewis and Gale 1994), and disagreement of the experts
 * that ran, the Jensen-Shannon divergence of their sentiment distributions (query by committee, McCallum and Nigam 1998). Shadows have no say.
 */
export function informativeness(judged: Judged): number {
  const leastConfidence = (1 - Math.fround(judged.confidence)) / (1 - 1 / sentiments.length)
  return (leastConfidence + disagreement(opinionsOf(judged))) / 2
}

function opinionsOf(judged: Judged): readonly (readonly number[])[] {
  return judged['experts.probabilities'].filter(
    (_, i) =>
      judged['experts.task'][i] === 'sentiment' &&
      judged['experts.ran'][i] === true &&
      judged['experts.shadow'][i] !== true,
  )
}

/** H(mean) - mean(H), as a share of its largest value over three labels. */
function disagreement(opinions: readonly (readonly number[])[]): number {
  if (opinions.length < 2) return 0
  const mean = sentiments.map(
    (_, label) => opinions.reduce((sum, p) => sum + (p[label] ?? 0), 0) / opinions.length,
  )
  const within = opinions.reduce((sum, p) => sum + entropy(p), 0) / opinions.length
  return Math.max(0, entropy(mean) - within) / Math.log(sentiments.length)
}

/** In nats. */
function entropy(distribution: readonly number[]): number {
  return distribution.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)
}
