/** The labelled texts of `fit` with what each configured expert says of them as it is served; of comments, out of fold. */
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import type { Post } from '../ingest/contract.ts'
import type { WeighedExpert } from '../pipeline/allocator/weights/model.ts'
import { unhurried } from '../pipeline/evaluation/panel.ts'
import { type Expert, isLethal } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import type { Judged } from '../pipeline/fitting/judged.ts'
import { readCorpus } from '../pipeline/training/corpus.ts'
import { type FitRow, fitRows } from '../pipeline/training/fit-rows.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

export interface OpinionRow extends Judged {
  readonly textLength: number
}

export interface FitOpinions {
  readonly experts: readonly WeighedExpert[]
  readonly rows: readonly OpinionRow[]
}

const batchSize = 256

export async function fitOpinions(folder: string): Promise<FitOpinions> {
  const { pipeline, logLevel } = loadConfig({})
  const corpus = readCorpus(folder)
  const experts = await loadExperts(pipeline, {
    clock: systemClock,
    logger: createLogger({ level: logLevel }),
  })
  try {
    const rows = fitRows(corpus)
    const judgesOf: Readonly<Record<Post['kind'], readonly Expert[]>> = {
      news: experts,
      comment: outOfFoldExperts(experts, corpus),
    }
    const opinions = new Map<FitRow, Record<string, readonly number[]>>()
    for (const kind of ['news', 'comment'] as const)
      for (const expert of judgesOf[kind])
        await ask(
          expert,
          rows.filter(({ example }) => example.kind === kind),
          opinions,
        )
    return {
      experts: experts.map(({ name, version, tasks }) => ({ name, version, tasks })),
      rows: rows.map((row) => opinionRow(row, opinions.get(row) ?? {})),
    }
  } finally {
    await Promise.all(experts.map((expert) => expert.close()))
  }
}

async function ask(
  expert: Expert,
  rows: readonly FitRow[],
  opinions: Map<FitRow, Record<string, readonly number[]>>,
): Promise<void> {
  for (let at = 0; at < rows.length; at += batchSize) {
    const batch = rows.slice(at, at + batchSize)
    const inputs = batch.map(({ example: { kind, text } }) => ({ kind, text, title: '' }))
    const answers = await expert.classify(inputs, unhurried)
    batch.forEach((row, i) => {
      const answer = answers[i]
      if (answer === undefined || isLethal(answer))
        throw new RangeError(`Not judged: ${row.example.id}`)
      const said = answer[row.task]
      if (said !== undefined) opinions.set(row, { ...opinions.get(row), [expert.name]: said })
    })
  }
}

function opinionRow(
  { task, example, fold, cluster }: FitRow,
  opinions: Judged['opinions'],
): OpinionRow {
  const { kind, text } = example
  return { task, kind, label: example[task], fold, cluster, opinions, textLength: text.length }
}
