/**
 * Fits what stands after the experts: static weights by kind, stacking, and the temperatures after fusion. The weights are those of the sentiment: what topics lose
 * by sharing them is among the figures, and so is what each expert is worth to the others.
 */
import type { Post } from '../../ingest/contract.ts'
import type { FusionManifest } from '../allocator/calibration.ts'
import type { Task } from '../contract.ts'
import { fitParameters } from '../fitting/fusion-parameters.ts'
import { fitWeights, withTemperature } from '../fitting/fusion-weights.ts'
import type { Judged } from '../fitting/judged.ts'
import type { Example } from './dataset.ts'
import { fusionFigures } from './fusion-figures.ts'
import { type FusedContext, heldOutFusion } from './held-out-fusion.ts'
import { fitCommand, provenance } from './provenance.ts'

export interface FittedFusion {
  readonly manifest: FusionManifest
  readonly contexts: readonly FusedContext[]
}

/** `examples` are what `judged` came from. */
export function fitFusion(judged: readonly Judged[], examples: readonly Example[]): FittedFusion {
  const rowsOf = (task: Task, kind: Post['kind']) =>
    judged.filter((row) => row.task === task && row.kind === kind)
  const [news, comments, topics] = [
    rowsOf('sentiment', 'news'),
    rowsOf('sentiment', 'comment'),
    rowsOf('topic', 'news'),
  ]
  const fitted = { news: fitWeights(news), comment: fitWeights(comments) }
  const weights = { news: fitted.news.weights, comment: fitted.comment.weights }
  const shared = (rows: readonly Judged[]) => withTemperature(rows, weights.news)
  const contexts: FusedContext[] = [
    { task: 'sentiment', kind: 'news', rows: news, ...heldOutFusion(news, fitWeights) },
    { task: 'sentiment', kind: 'comment', rows: comments, ...heldOutFusion(comments, fitWeights) },
    { task: 'topic', kind: 'news', rows: topics, ...heldOutFusion(topics, shared) },
  ]
  const manifest: FusionManifest = {
    name: 'fusion',
    version: '2',
    ...provenance(examples, fitCommand),
    reference_weights: weights,
    ...fitParameters(judged, { sentiment: weights, topic: weights }),
    metrics: fusionFigures(contexts),
  }
  return { manifest, contexts }
}
