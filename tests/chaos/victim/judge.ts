/** Who judges in a chaos run: the real analyst over the lexicon alone, quick and always the same, and faults on the way to it. */
import { AppError } from '../../../infra/errors.ts'
import { type Analyst, createAnalyst } from '../../../pipeline/allocator/analyst.ts'
import { createStaticAllocator } from '../../../pipeline/allocator/static.ts'
import type { Linker, Mention } from '../../../pipeline/entities/mention.ts'
import type { Expert } from '../../../pipeline/experts/expert.ts'
import { createLexiconExpert, readLexicon } from '../../../pipeline/experts/lexicon.ts'
import { lethalWord } from '../posts.ts'
import type { Tripwires } from './tripwires.ts'

const lexicon = createLexiconExpert(readLexicon())
const weights = { news: { [lexicon.name]: 1 }, comment: { [lexicon.name]: 1 } }

export function faultyAnalyst(wires: Tripwires): Analyst {
  const experts = [faultyExpert(wires)]
  const analyst = createAnalyst({
    experts,
    allocator: createStaticAllocator({ experts, weights }),
    calibration: { temperature: () => 1 },
    referenceWeights: weights,
    onExpertFailure: () => undefined,
  })
  return {
    judge: (posts, call) =>
      wires.during(async () => {
        const judgements = await analyst.judge(posts, call)
        await wires.reach('judged')
        return judgements
      }),
    close: () => analyst.close(),
  }
}

function faultyExpert(wires: Tripwires): Expert {
  let refusals = 0
  return {
    ...lexicon,
    async classify(batch, call) {
      const faults = await wires.reach('judging')
      refusals += faults.find(({ action }) => action === 'overload')?.amount ?? 0
      if (refusals > 0) {
        refusals -= 1
        throw new AppError('OVERLOADED', 'The queue is full', { retryable: true })
      }
      const answers = await lexicon.classify(batch, call)
      return answers.map((answer, at) =>
        batch[at]?.text.includes(lethalWord) ? { lethal: 'ends who reads it' } : answer,
      )
    },
  }
}

/** One mention a cashtag: the real gazetteer takes longer to load than a life lasts. */
export const cashtags: Linker = {
  link: ({ text }) => [...text.matchAll(/\$[A-Z]+/g)].map(([written], at) => mention(written, at)),
  instrument: () => undefined,
}

const mention = (written: string, start: number): Mention => ({
  instrument: `unresolved:${written.slice(1)}`,
  written,
  how: 'cashtag',
  start,
  end: start + written.length,
  relevance: 0.5,
})
