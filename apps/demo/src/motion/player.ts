import type { SplatTimes } from '@langevin/io/splats';
import { box, button, byId, input, press } from '../page/elements.ts';

/** The time slider with its button. */
export interface Player {
  /** @param times undefined for what stands still */
  readonly set: (times: SplatTimes | undefined) => void;
  readonly stop: () => void;
}

/** @param onTime told the time in 0..1 whenever it changes */
export function createPlayer(onTime: (time: number) => void): Player {
  const slider = input('time');
  const play = button('play');
  const text = byId('time-text', HTMLOutputElement);
  let times: SplatTimes | undefined;
  let playing = false;
  /** Seconds since the start, with the way back of a mirror. */
  let elapsed = 0;
  let last = 0;

  const length = (): number => (times === undefined ? 1 : times.end - times.start);
  const tell = (part: number): void => {
    const seconds = (times?.start ?? 0) + part * length();
    slider.value = String(seconds);
    text.textContent = `${seconds.toFixed(2)} s`;
    onTime(part);
  };
  const tick = (now: number): void => {
    if (!playing) return;
    elapsed += (now - last) / 1000;
    last = now;
    const whole = length();
    if (times?.loop === 'none' && elapsed >= whole) {
      elapsed = whole;
      setPlaying(false);
    }
    const round = times?.loop === 'mirror' ? 2 * whole : whole;
    const phase = times?.loop === 'none' ? elapsed : elapsed % round;
    tell(Math.min(1, (phase > whole ? round - phase : phase) / whole));
    requestAnimationFrame(tick);
  };
  const setPlaying = (on: boolean): void => {
    playing = on;
    press(play, { on });
    play.setAttribute('aria-label', on ? 'Pause' : 'Play');
    if (!on) return;
    // At its end it begins anew.
    if (times?.loop === 'none' && elapsed >= length()) elapsed = 0;
    last = performance.now();
    requestAnimationFrame(tick);
  };
  play.addEventListener('click', () => setPlaying(!playing));
  slider.addEventListener('input', () => {
    setPlaying(false);
    elapsed = Number(slider.value) - (times?.start ?? 0);
    tell(Math.min(1, Math.max(0, elapsed / length())));
  });
  return {
    set: (given) => {
      setPlaying(false);
      times = given;
      elapsed = 0;
      box('player').hidden = given === undefined;
      if (given === undefined) return;
      slider.min = String(given.start);
      slider.max = String(given.end);
      tell(0);
    },
    stop: () => setPlaying(false),
  };
}
