export { transition, type Transition } from '@langevin/core-schedules';
