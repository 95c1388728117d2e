/** The experts that learn from comments, as if none had: each comment is judged by a model that saw neither it nor a near-duplicate of it. */
import { mapOf } from '../pipeline/experts/encoder.ts'
import { readEncoderManifest } from '../pipeline/experts/encoder-artifact.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import { readLinear } from '../pipeline/experts/linear.ts'
import { type LogitMap, mapLogits } from '../pipeline/experts/logit-map.ts'
import { minilmFolder } from '../pipeline/experts/registry.ts'
import { textId } from '../pipeline/text/normalise.ts'
import type { Corpus } from '../pipeline/training/corpus.ts'
import { outOfFoldFile, readOutOfFold } from '../pipeline/training/encoder-logits.ts'
import { outOfFoldComments } from '../pipeline/training/out-of-fold.ts'

/** Sentiment logits before calibration, by id of the comment. */
type Logits = ReadonlyMap<string, ArrayLike<number>>

/** The experts with these answers instead of their own; the lexicon stays as it is, though six numbers of its map saw the comments outside `report`. */
export function outOfFoldExperts(experts: readonly Expert[], corpus: Corpus): Expert[] {
  return experts.map((expert) => {
    switch (expert.name) {
      case 'linear':
        return answering(expert, linearLogits(corpus), {
          temperature: sentimentOf(readLinear().manifest.heads)?.temperatures.comment ?? 1,
          biases: [],
        })
      case 'minilm':
        return answering(
          expert,
          readOutOfFold(outOfFoldFile('minilm'), corpus.commentFolds),
          mapOf(sentimentOf(readEncoderManifest(minilmFolder).heads), 'comment'),
        )
      default:
        return expert
    }
  })
}

function linearLogits(corpus: Corpus): Logits {
  const judged = outOfFoldComments(
    [...corpus.rows('train'), ...corpus.rows('tune')],
    corpus.comments,
    corpus.commentFolds,
  )
  return new Map(judged.map(({ comment, logits }) => [comment.id, logits]))
}

function sentimentOf<Head extends { readonly task: string }>(heads: readonly Head[]) {
  return heads.find(({ task }) => task === 'sentiment')
}

/** With the calibration of the shipped model. */
function answering(expert: Expert, logitsOf: Logits, map: LogitMap): Expert {
  return {
    ...expert,
    tasks: ['sentiment'],
    classify: async (batch) =>
      batch.map(({ text }) => {
        const logits = logitsOf.get(textId(text))
        if (logits === undefined) throw new RangeError(`${expert.name} did not judge a comment`)
        return { sentiment: mapLogits(logits, map) }
      }),
  }
}
