/**
 * Out-of-fold predictions for the comments: there are too few for one held-out part, so each is judged by a model that saw no text of its fold,
 * nor a near-duplicate of one in any file.
 */

import { clusterIds, commentFoldCount } from '../fitting/splits.ts'
import type { Example } from './dataset.ts'
import { linearLogits, trainLinear } from './linear-recipe.ts'

export interface JudgedComment {
  readonly comment: Example
  readonly logits: Float64Array
}

/** Sentiment logits of every comment, by models trained on `examples` less the comment's fold. */
export function outOfFoldComments(
  examples: readonly Example[],
  comments: readonly Example[],
  folds: ReadonlyMap<string, number>,
): JudgedComment[] {
  const clusters = clusterIds([...examples, ...comments])
  const foldOfCluster = new Map(
    comments.map(({ id }) => [clusters.get(id), folds.get(id)] as const),
  )
  return Array.from({ length: commentFoldCount }, (_, fold) => fold).flatMap((fold) => {
    const model = trainLinear(
      examples.filter(({ id }) => foldOfCluster.get(clusters.get(id)) !== fold),
      ['sentiment'],
    )
    const held = comments.filter(({ id }) => folds.get(id) === fold)
    const logits = linearLogits(
      model,
      'sentiment',
      held.map(({ text }) => text),
    )
    return held.flatMap((comment, i) => {
      const found = logits[i]
      return found === undefined ? [] : [{ comment, logits: found }]
    })
  })
}
