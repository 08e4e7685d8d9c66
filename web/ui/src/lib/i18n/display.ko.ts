import type { display as english } from './display.en';

export const display: typeof english = {
  title: '화면 설정',
  about: '이 브라우저에만 저장되며 이 화면에만 적용됩니다.',
  wall: '벽면 화면',
  openWall: '벽면 화면 열기',
  leaveWall: '벽면 화면 닫기',
  size: '화면 크기',
  sizeAbout: '자를 화면에 대고 막대를 100 mm에 맞추십시오. 글자 높이와 단추 크기가 여기서 정해집니다.',
  bar: '막대 길이(100 mm가 되어야 함)',
  shorter: '짧게',
  longer: '길게',
  distance: '보는 거리',
  nearer: '가깝게',
  farther: '멀게',
  letters: (mm) => `벽면 화면의 글자 높이: ${mm} mm`,
  tooFar: (readable) =>
    `이 거리에는 창이 너무 작아 글자를 ${readable}까지만 읽을 수 있습니다. 더 큰 화면을 쓰거나 전체 화면(F11)으로 여십시오.`,
  gloves: '장갑 모드',
  glovesAbout: '누르는 것은 모두 가로세로 20 mm 이상이고 간격은 6 mm입니다.',
  keys: '단축키',
  keysAbout:
    '검토와 코일 화면의 키입니다. 줄을 고른 다음 사용할 키를 누르십시오. 다른 줄이 쓰는 키이면 서로 바뀝니다. 1–9는 분류, 0은 결함 아님입니다.',
  pressKey: '키를 누르십시오 …',
  keyRefused:
    '그 키는 이미 정해진 뜻이 있습니다. 글자, 스페이스, 문장 부호, Page Up·Down, 숫자판 기호를 쓸 수 있습니다.',
  keysReset: '기본 키로 되돌리기',
  on: '켜기',
  off: '끄기',
  lamps: '정상이어야 할 것',
  lamp: {
    cameras: '카메라',
    light: '조명·시야',
    encoder: '스트립 길이',
    classifier: '분류기',
    record: '기록',
  },
  lampState: { on: '정상', idle: '대기', off: '감시 안 함', bad: '이상' },
};
