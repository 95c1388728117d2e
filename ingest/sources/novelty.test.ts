import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { postIdOf } from './item.ts'
import { Seen } from './novelty.ts'

const item = (id: string, text = 'text') => ({ id, text, date: undefined })

describe('Seen', () => {
  it('tells new from edited and repeated, over restarts', () => {
    const seen = new Seen({})
    assert.equal(seen.note(item('a')), 'new')
    assert.equal(seen.note(item('a')), 'repeated')
    const later = new Seen({ seen: seen.toState() })
    assert.equal(later.note(item('a')), 'repeated')
    assert.equal(later.note(item('a', 'edited')), 'corrected')
    assert.equal(later.note(item('a', 'edited')), 'repeated')
    assert.equal(later.note(item('a')), 'corrected')
  })

  it('gives up on a text that never rests', () => {
    const seen = new Seen({})
    const answers = Array.from({ length: 40 }, (_, i) => seen.note(item('a', `viewed ${i} times`)))
    assert.equal(answers.filter((answer) => answer === 'corrected').length, 20)
    assert.equal(answers.at(-1), 'repeated')
  })

  it('remembers a bounded number, and the last document in it', () => {
    const seen = new Seen({})
    seen.note(item('old'))
    for (let i = 0; i < 4_999; i++) seen.note(item(`gone ${i}`))
    seen.note(item('old'))
    for (let i = 0; i < 4_000; i++) seen.note(item(`present ${i}`))
    assert.equal(seen.toState().length, 5_000)
    assert.ok(seen.knows('old') && seen.knows('present 0'))
    assert.ok(!seen.knows('gone 0'))
  })
})

describe('postIdOf', () => {
  it('keeps a plain id, and hashes a long or an odd one', () => {
    assert.equal(postIdOf('wire', 'https://x.example/1?a=b'), 'wire:https://x.example/1?a=b')
    for (const odd of ['a b', 'x'.repeat(300), 'ü', 'a\u202eb', ''])
      assert.match(postIdOf('wire', odd), /^wire:sha256-[\w-]{32}$/)
    assert.notEqual(postIdOf('wire', 'a b'), postIdOf('wire', 'a  b'))
  })
})
