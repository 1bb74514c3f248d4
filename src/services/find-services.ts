import type { FindImageOptions } from '../find-image.ts';
import type { Engine } from '../sandbox/engine.ts';
import { EngineError } from '../sandbox/engine.ts';
import { inspectImage, obtainImage } from '../sandbox/image/obtain-image.ts';
import { createServiceLog } from './create-service-log.ts';
import { imageCommand } from './describe-service.ts';
import type { FoundService } from './open-services.ts';

/** The services' images, pulled where the engine does not have them; those that were looked for where the run was cancelled meanwhile. */
export async function findServices(engine: Engine, { config, host, events, signal, timed }: FindImageOptions): Promise<FoundService[]> {
  const found: FoundService[] = [];
  for (const request of config.services ?? []) {
    if (signal.aborted) break;
    try {
      const image = await timed(`service ${request.name}: image`, () => obtainImage(engine, {
        reference: request.image, configDirectory: host.dockerConfigDirectory, signal, onProgress: (task, state) => events.onProgress?.(task, state),
      }));
      const inspected = await inspectImage(engine, image.id);
      if (inspected === null) throw new EngineError(`the image ${JSON.stringify(request.image.text)} has just been removed from the engine`);
      const record = { name: request.name, image: request.image.text, imageDigest: image.digest, limits: request.limits, startSeconds: null, exitCode: null, usage: null, log: createServiceLog(request.name) };
      found.push({ request, image, own: imageCommand(inspected), record });
    } catch (error) {
      if (signal.aborted) break;
      throw new EngineError(`services: service \`${request.name}\`: ${(error as Error).message}`);
    }
  }
  return found;
}
