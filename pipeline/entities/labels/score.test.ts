import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../../infra/package-root.ts'
import { loadKnowledge } from '../link.ts'
import { precision, readLabels, readPosts, recall, scoreLinking } from './score.ts'

const labels = readLabels()
const posts = readPosts(join(packageRoot, 'data/market-tweets-2020.ndjson'))
const labels2020 = labels.filter(({ stream }) => stream === '2020')

test('linking holds its floor on the labels of the bundled tweets', () => {
  const { cashtag, name } = scoreLinking(labels2020, posts, loadKnowledge())
  assert.ok(precision(cashtag) >= 0.97, `cashtag precision ${precision(cashtag)}`)
  assert.ok(recall(cashtag) >= 0.95, `cashtag recall ${recall(cashtag)}`)
  assert.ok(precision(name) >= 0.95, `name precision ${precision(name)}`)
  assert.ok(recall(name) >= 0.87, `name recall ${recall(name)}`)
})

test('the labels fit their texts', () => {
  for (const { id, mentions } of labels2020) {
    const text = posts.get(id)?.text ?? ''
    for (const { start, end, form } of mentions) {
      const written = text.slice(start, end)
      assert.equal(written.startsWith('$'), form === 'cashtag', `${id}: '${written}'`)
      assert.match(written, /^[$\p{L}\p{N}].*[\p{L}\p{N}]$/u)
    }
  }
})

test('five hundred mentions are labelled, names among them', () => {
  const forms = labels.flatMap(({ mentions }) => mentions.map(({ form }) => form))
  assert.ok(forms.filter((form) => form !== 'ticker').length >= 500)
  assert.ok(forms.filter((form) => form === 'name').length >= 120)
})
