import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startWorld, temporaryFolder, type World } from './world.fixture.ts'

const order = { replaces: '', force: true, by: 'ada', note: 'tried for a week', days: 28 }

describe('promotions', () => {
  const folder = temporaryFolder()
  let world: World

  before(async () => {
    world = await startWorld({ folder: folder.path })
  })
  after(async () => {
    await world.stop()
    folder.remove()
  })

  const tones = async () => [...new Set((await world.shown()).map(({ negative }) => negative))]

  it('shows the window as the new experts judge it, and what comes afterwards too', async () => {
    await world.push(30)
    assert.deepEqual(await tones(), [0.2])
    await world.promotions.promote({ ...order, expert: 'bleak', replaces: 'calm' })
    await world.promotions.settled()
    assert.deepEqual(world.promotions.progress()?.error, '')
    assert.deepEqual(await tones(), [0.6])
    await world.push(10)
    const shown = await world.shown()
    assert.deepEqual([shown.length, await tones()], [40, [0.6]])
    assert.equal(shown.filter(({ revision }) => revision > 0).length, 30)
  })
})
