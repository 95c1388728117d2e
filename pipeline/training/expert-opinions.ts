/** What the linear expert and the lexicon say of the rows, as they are served; of comments, which taught it, the linear one by models that did not see them. */
import type { Task } from '../contract.ts'
import { type ExpertOutput, isLethal, type Lethal } from '../experts/expert.ts'
import { createLexiconExpert, readLexicon } from '../experts/lexicon.ts'
import { createLinearExpert, readLinear } from '../experts/linear.ts'
import { softmax } from '../experts/probabilities.ts'
import type { Corpus } from './corpus.ts'
import type { FitRow } from './fit-rows.ts'
import { outOfFoldComments } from './out-of-fold.ts'

/** Probabilities by expert, in the order of the rows; an expert without the row's task is absent. */
export type Opinions = Readonly<Record<string, readonly number[]>>

export async function opinionsOfSimpleExperts(
  rows: readonly FitRow[],
  corpus: Corpus,
): Promise<Opinions[]> {
  const linear = readLinear()
  const inputs = rows.map(({ example: { kind, text } }) => ({ kind, text, title: '' }))
  const byLinear = await createLinearExpert(linear).classify(inputs)
  const byLexicon = await createLexiconExpert(readLexicon()).classify(inputs)
  const head = linear.parameters.heads.find(({ task }) => task === 'sentiment')
  const outOfFold = new Map(
    outOfFoldComments(
      [...corpus.rows('train'), ...corpus.rows('tune')],
      rows.flatMap(({ example }) => (example.kind === 'comment' ? [example] : [])),
      corpus.commentFolds,
    ).map(({ comment, logits }) => [comment, softmax(logits, head?.temperatures.comment)]),
  )
  return rows.map(({ task, example }, i) => {
    const opinions = {
      linear: outOfFold.get(example) ?? opinionOf(byLinear[i], task),
      lexicon: opinionOf(byLexicon[i], task),
    }
    return Object.fromEntries(
      Object.entries(opinions).flatMap(([name, opinion]) =>
        opinion === undefined ? [] : [[name, opinion]],
      ),
    )
  })
}

function opinionOf(answer: ExpertOutput | Lethal | undefined, task: Task) {
  return answer === undefined || isLethal(answer) ? undefined : answer[task]
}
