/**
 * `npm run train:guidance -- DATA_FOLDER`: makes the artifact of the expert `guidance` from its tables of phrases, and prints how often each phrase is found and
 * right on `tune`, which its author had read, and on `fit`, which nobody had.
 */
import { program } from 'commander'
import { guidanceFolder } from '../experts/guidance.ts'
import { type Corpus, readCorpus } from './corpus.ts'
import type { Example } from './dataset.ts'
import { fitGuidance } from './fit-guidance.ts'
import { type GuidanceFigures, guidanceFigures } from './guidance-figures.ts'
import { saveManifest } from './save-manifest.ts'

program
  .description('Fit the maps of the expert guidance.')
  .argument('<data folder>')
  .option('--splits <names>', 'of which to print the figures of phrases', 'tune,fit')
  .action((folder: string, { splits }: { splits: string }) => train(readCorpus(folder), splits))
  .parse()

function train(corpus: Corpus, splits: string): void {
  const guidance = fitGuidance(guidanceRows(corpus))
  saveManifest(guidanceFolder, guidance.manifest)
  print(JSON.stringify(guidance.manifest.metrics))
  for (const split of ['tune', 'fit'] as const)
    if (splits.split(',').includes(split))
      for (const source of ['tweets', 'comments'] as const)
        printFigures(
          `${split}, ${source}`,
          guidanceFigures(guidance.tables, corpus.rows(split, source)),
        )
}

/** News of `train`: nobody read them to write phrases. Comments, of which `train` has too few, from everywhere but `report`. */
function guidanceRows(corpus: Corpus): Example[] {
  const report = new Set(corpus.rows('report', 'comments'))
  return [
    ...corpus.rows('train', 'tweets'),
    ...corpus.comments.filter((comment) => !report.has(comment)),
  ]
}

function printFigures(title: string, { rows, covered, phrases }: GuidanceFigures): void {
  print(`\n${title}: ${covered} of ${rows} texts have a phrase`)
  for (const { group, direction, phrase, texts, right } of phrases)
    if (texts > 0)
      print(
        `${group.padEnd(8)} ${direction.padEnd(4)} ${String(right).padStart(4)} of ${String(texts).padEnd(4)} ${phrase}`,
      )
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
