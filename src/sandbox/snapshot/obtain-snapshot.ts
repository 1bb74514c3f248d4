import { EngineError, type Engine } from '../engine.ts';
import { configurationOf, inspectImage, type ObtainedImage } from '../image/obtain-image.ts';

/**
 * The image a snapshot is, by the ID it was recorded with and never by a tag, which anybody with the engine can move.
 * @throws EngineError where the engine does not have it
 */
export async function obtainSnapshot(engine: Engine, { name, digest }: { name: string; digest: string }): Promise<ObtainedImage> {
  const found = await inspectImage(engine, digest);
  if (found === null || found.Id !== digest) throw new EngineError(`the engine does not have the snapshot ${JSON.stringify(name)} (${digest}) any more: save it again, or leave snapshot-from out`);
  return { reference: `snapshot ${name}`, id: digest, digest, isSnapshot: true, ...configurationOf(found) };
}
