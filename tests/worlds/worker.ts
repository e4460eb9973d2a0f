/**
 * Judges worlds in a thread of its own.
 *
 * @module
 */
import { answerTasks } from "../support/worker_pool.ts";
import { rateWorld } from "./judge.ts";

answerTasks(rateWorld);
