/** `npm run splits -- DATA_FOLDER`: writes the id lists of pipeline/training/splits. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import {
  clusterIds,
  foldOfCluster,
  splitNames,
  splitOfCluster,
  splitsFolder,
} from '../fitting/splits.ts'
import { readExamples, type Source, sources } from './dataset.ts'

program
  .description(
    'Write the id lists of the train, tune, fit and report splits and the comment folds.',
  )
  .argument('<data folder>')
  .action(makeSplits)
  .parse()

function makeSplits(folder: string): void {
  const bySource = (Object.keys(sources) as Source[]).map((source) => ({
    source,
    examples: readExamples(folder, source),
  }))
  const clusters = clusterIds(bySource.flatMap(({ examples }) => examples))
  const ids = [...clusters.keys()]
  for (const name of splitNames) {
    write(
      `${name}.txt`,
      ids.filter((id) => splitOfCluster(clusters.get(id) ?? id) === name),
    )
  }
  const comments = bySource.find(({ source }) => source === 'comments')?.examples ?? []
  const commentIds = [...new Set(comments.map(({ id }) => id))].sort()
  write(
    'comment-folds.txt',
    commentIds.map((id) => `${id} ${foldOfCluster(clusters.get(id) ?? id)}`),
  )
  process.stdout.write(
    `${ids.length} texts in ${new Set(clusters.values()).size} clusters\nrows a file and split:\n`,
  )
  for (const { source, examples } of bySource) {
    const counts = splitNames.map(
      (name) =>
        `${name} ${examples.filter(({ id }) => splitOfCluster(clusters.get(id) ?? id) === name).length}`,
    )
    process.stdout.write(`  ${sources[source]}: ${counts.join(', ')}\n`)
  }
}

function write(file: string, lines: readonly string[]): void {
  writeFileSync(join(splitsFolder, file), `${lines.join('\n')}\n`)
}
