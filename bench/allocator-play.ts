/** Plays a labelled stream through a real analyst: batch after batch, with the budget told what was spent, and labels coming back later. */
import { type AnalystDeps, createAnalyst } from '../pipeline/allocator/analyst.ts'
import type { Judgement } from '../pipeline/allocator/judgement.ts'
import type { Budget, Costs } from '../pipeline/allocator/price.ts'
import { type Expert, isLethal } from '../pipeline/experts/expert.ts'
import type { LabelledPost } from './allocator-stream.ts'

/** What became of a post. */
export interface Verdict {
  /** Of its task. */
  readonly probabilities: readonly number[]
  /** Of the calibration that they went through. */
  readonly temperature: number
  /** Names of the experts that gave an answer on its task. */
  readonly ran: readonly string[]
  /** Estimated compute of all experts that ran. */
  readonly ms: number
}

export interface Player {
  readonly deps: Omit<AnalystDeps, 'experts' | 'onExpertFailure'>
  readonly budget?: Budget
  /** A batch's posts after they were judged. */
  onJudged?(posts: readonly LabelledPost[], judgements: readonly Judgement[]): void
}

const batchPosts = 32

/** In the order of the stream. */
export async function play(
  stream: readonly LabelledPost[],
  experts: readonly Expert[],
  costs: Costs,
  { deps, budget, onJudged }: Player,
): Promise<Verdict[]> {
  const analyst = createAnalyst({
    ...deps,
    experts: experts.map((expert) => recalling(expert, stream)),
    onExpertFailure(_, error) {
      throw error
    },
  })
  const verdicts: Verdict[] = []
  for (let at = 0; at < stream.length; at += batchPosts) {
    const batch = stream.slice(at, at + batchPosts)
    const judgements = (await analyst.judge(batch.map(({ post }) => post))).map((judged) => {
      if (isLethal(judged)) throw new RangeError('A labelled text was refused')
      return judged
    })
    const judged = batch.flatMap((labelled, i) => {
      const judgement = judgements[i]
      return judgement === undefined ? [] : [verdictOf(labelled, judgement, costs)]
    })
    budget?.spent(
      judged.length,
      judged.reduce((sum, { ms }) => sum + ms, 0),
    )
    onJudged?.(batch, judgements)
    verdicts.push(...judged)
  }
  return verdicts
}

/** Answers from memory, by the post itself: in a stream with drift the same text has more than one answer. */
function recalling(expert: Expert, stream: readonly LabelledPost[]): Expert {
  const answers = new Map<object, LabelledPost['answers']>(
    stream.map(({ post, answers }) => [post, answers]),
  )
  return {
    name: expert.name,
    version: expert.version,
    tasks: expert.tasks,
    classify: async (batch) =>
      batch.map((input) => {
        const answer = answers.get(input)?.[expert.name]
        if (answer === undefined) throw new RangeError(`${expert.name} was asked for another text`)
        return answer
      }),
    close: async () => {},
  }
}

function verdictOf({ post, task }: LabelledPost, judgement: Judgement, costs: Costs): Verdict {
  const { negative, neutral, positive } = judgement
  const ran = judgement['experts.name'].filter((_, i) => judgement['experts.ran'][i])
  const onTask = judgement['experts.name'].filter(
    (_, i) => judgement['experts.ran'][i] && judgement['experts.task'][i] === task,
  )
  const textLength = post.text.length + post.title.length
  return {
    probabilities: task === 'topic' ? judgement.topic_probabilities : [negative, neutral, positive],
    temperature: task === 'topic' ? judgement.topic_temperature : judgement.sentiment_temperature,
    ran: onTask,
    ms: [...new Set(ran)].reduce((sum, expert) => sum + costs.msOf(expert, textLength), 0),
  }
}
