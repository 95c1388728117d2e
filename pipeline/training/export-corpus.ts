/** `npm run corpus -- DATA_FOLDER OUT.ndjson`: every labelled text as Python reads it, so that clean-up, splits and clusters are defined once, here. */
import { writeFileSync } from 'node:fs'
import { program } from 'commander'
import { clusterIds, type SplitName, splitNames } from '../fitting/splits.ts'
import { cleanText } from '../text/clean.ts'
import { readCorpus } from './corpus.ts'
import type { Example } from './dataset.ts'

program
  .description(
    'Write every labelled text, cleaned, with its split, comment fold and near-duplicate cluster.',
  )
  .argument('<data folder>')
  .argument('<out.ndjson>')
  .action(exportCorpus)
  .parse()

function exportCorpus(folder: string, out: string): void {
  const corpus = readCorpus(folder)
  const rows = splitNames.flatMap((split) =>
    corpus.rows(split).map((example) => ({ split, example })),
  )
  const clusters = clusterIds(rows.map(({ example }) => example))
  const lines = rows.map(({ split, example }) =>
    JSON.stringify({
      ...corpusRow(example, split),
      fold: example.source === 'comments' ? corpus.commentFolds.get(example.id) : null,
      cluster: clusters.get(example.id),
    }),
  )
  writeFileSync(out, `${lines.join('\n')}\n`)
  process.stdout.write(`${lines.length} rows in ${new Set(clusters.values()).size} clusters\n`)
}

function corpusRow({ id, source, kind, text, sentiment, topic }: Example, split: SplitName) {
  return {
    id,
    source,
    kind,
    split,
    text: cleanText(text),
    sentiment: sentiment < 0 ? null : sentiment,
    topic: topic < 0 ? null : topic,
  }
}
