/** The experts that learn from comments, as if none had: each comment is judged by a model that saw neither it nor a near-duplicate of it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { packageRoot } from '../infra/package-root.ts'
import { modelsFolder } from '../pipeline/experts/artifact.ts'
import { readEncoderManifest } from '../pipeline/experts/encoder-artifact.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import { readLinear } from '../pipeline/experts/linear.ts'
import { softmax } from '../pipeline/experts/probabilities.ts'
import { textId } from '../pipeline/text/normalise.ts'
import type { Corpus } from '../pipeline/training/corpus.ts'
import { outOfFoldComments } from '../pipeline/training/out-of-fold.ts'

const minilmFile = join(packageRoot, 'pipeline/training/out-of-fold/minilm-comments.ndjson')
const MinilmRow = Type.Object({
  id: Type.String(),
  fold: Type.Integer({ minimum: 0 }),
  logits: Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }),
})

/** Sentiment logits before calibration, by id of the comment. */
type Logits = ReadonlyMap<string, ArrayLike<number>>

/** The experts with these answers instead of their own; one that learned from no comment (the lexicon) stays as it is. */
export function outOfFoldExperts(experts: readonly Expert[], corpus: Corpus): Expert[] {
  return experts.map((expert) => {
    switch (expert.name) {
      case 'linear':
        return answering(expert, linearLogits(corpus), readLinear().manifest.heads)
      case 'minilm':
        return answering(
          expert,
          minilmLogits(),
          readEncoderManifest(join(modelsFolder, 'minilm')).heads,
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

/** Written by the training of the encoder, of the float models. */
function minilmLogits(): Logits {
  const lines = readFileSync(minilmFile, 'utf8').trim().split('\n')
  const rows = lines.map((line) => Value.Parse(MinilmRow, JSON.parse(line)))
  return new Map(rows.map(({ id, logits }) => [id, logits]))
}

interface Head {
  readonly task: string
  readonly temperatures: { readonly comment: number }
}

/** With the calibration of the shipped model. */
function answering(expert: Expert, logitsOf: Logits, heads: readonly Head[]): Expert {
  const temperature = heads.find(({ task }) => task === 'sentiment')?.temperatures.comment ?? 1
  return {
    ...expert,
    tasks: ['sentiment'],
    classify: async (batch) =>
      batch.map(({ text }) => {
        const logits = logitsOf.get(textId(text))
        if (logits === undefined) throw new RangeError(`${expert.name} did not judge a comment`)
        return { sentiment: softmax(logits, temperature) }
      }),
  }
}
