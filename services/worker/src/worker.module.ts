import { Module, type DynamicModule } from '@nestjs/common';
import { controlController } from './control/control.controller.ts';
import { WORKER_PARTS, WorkerService, type WorkerParts } from './worker.service.ts';

/** The worker of one deployment. Its surroundings come as values, so that it runs over Redis or within one process alike. */
@Module({})
export class WorkerModule {
  static register(parts: WorkerParts): DynamicModule {
    return {
      module: WorkerModule,
      controllers: [controlController(parts.config.deployment)],
      providers: [{ provide: WORKER_PARTS, useValue: parts }, WorkerService],
      exports: [WorkerService],
    };
  }
}
