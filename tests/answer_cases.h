// Pairs of answers for test_answer.c: what a gold answer equals, what it differs from, and what
// must be neither. Several texts in one string are parted by " ;; ". They were written for this
// table, from the ways in which people and models write mathematics.
static const struct {
    const char *gold, *same, *other, *unsure;
} answer_pairs[] = {
    {"\\frac{3}{4}",
     "\\dfrac34 ;; \\tfrac{3}{4} ;; \\frac34 ;; 3/4 ;; 0.75 ;; .75 ;; 75\\% ;; "
     "\\frac{6}{8} ;; \\left(\\frac{3}{4}\\right) ;; $\\frac{3}{4}$ ;; "
     "\\(\\frac{3}{4}\\) ;; \\[\\frac{3}{4}\\] ;; 3 / 4 ;; \\frac 34 ;; "
     "\\displaystyle\\frac{3}{4} ;; \\frac{3}{4}. ;; {3 \\over 4} ;; 3 \\div 4 ;; "
     "3\xc3\xb7"
     "4 ;; \xc2\xbe ;; 75% ;; 75 \\% ;; three fourths ;; three-quarters",
     "\\frac{4}{3} ;; 0.74 ;; -\\frac{3}{4} ;; 3.4 ;; 34 ;; -0.75 ;; \\frac{3}{5} ;; 7.5", NULL},
    {"\\zeta + 2\\chi",
     "\xce\xb6 + 2\xcf\x87 ;; 2\xcf\x87 + \xce\xb6 ;; \xce\xb6\xef\xbc\x8b\xef\xbc\x92\xcf\x87",
     "\xce\xb6 + 2\xce\xb7", NULL},
    {"12345",
     "12,345 ;; 12 345 ;; 12{,}345 ;; 12\\,345 ;; 12,\\!345 ;; 12345.0 ;; 12345.00 ;; "
     "\\$12{,}345 ;; \\$12,345 ;; $12,345$ ;; 12~345 ;; 1.2345e4 ;; "
     "1.2345 \\times 10^4 ;; 1.2345 \\cdot 10^{4} ;; 1.2345*10^4 ;; "
     "12\xe2\x80\xaf"
     "345 ;; 12\xe2\x80\x89"
     "345 ;; 12\\;345 ;; 12'345 ;; +12345",
     "12,346 ;; 1,2345 ;; 123,45.1 ;; 1234 ;; 12.345", NULL},
    {"-7",
     "\xe2\x88\x92"
     "7 ;; \xe2\x80\x93"
     "7 ;; - 7 ;; {-7} ;; (-7) ;; -\\frac{14}{2} ;; "
     "-7.0 ;; negative 7 ;; minus 7 ;; negative seven",
     NULL, NULL},
    {"1000000",
     "1,000,000 ;; 10^6 ;; 10^{6} ;; 1e6 ;; 1E6 ;; 1{,}000{,}000 ;; 1 million ;; "
     "one million ;; 10^6\\text{ dollars} ;; 1,000,000 people ;; "
     "1{,}000{,}000\\text{ people}",
     NULL, NULL},
    {"2.5e-3",
     "0.0025 ;; 2.5\\times10^{-3} ;; 2.5 \\times 10^{-3} ;; 25/10000 ;; \\frac{1}{400} ;; "
     "2.5x10^{-3} ;; 2.5\xc3\x97"
     "10\xe2\x81\xbb\xc2\xb3 ;; 2.5E-03",
     "0.025 ;; 2.5\\times10^{3} ;; 0.00025", NULL},
    {"3 1/2",
     "3\\frac{1}{2} ;; 7/2 ;; 3.5 ;; 3\\frac12 ;; 3 \\frac{1}{2} ;; 3\xc2\xbd ;; "
     "3\\tfrac12 ;; 3 + \\frac12",
     "3/2 ;; 31/2 ;; \\frac{5}{2}", NULL},
    {"-3 1/2", "-7/2 ;; -3.5 ;; -3\\frac{1}{2}", NULL, NULL},
    {"0.\\overline{3}",
     "1/3 ;; 0.\\bar{3} ;; .\\overline{3} ;; 0.3\\overline{3} ;; 0.333... ;; 0.333\\ldots", NULL,
     NULL},
    {"\\frac{1}{3}", "0.3333 ;; 0.33333333 ;; \\approx 0.3333", "0.3334 ;; 0.34", NULL},
    {"\\sqrt{2}",
     "\\sqrt2 ;; sqrt(2) ;; \xe2\x88\x9a"
     "2 ;; 2^{1/2} ;; 2^{\\frac12} ;; 1.41421356 ;; "
     "\\frac{2}{\\sqrt2} ;; \\sqrt[2]{2} ;; \xe2\x88\x9a(2) ;; 2**0.5 ;; 2^0.5 ;; "
     "2^(1/2) ;; \\sqrt {2} ;; \xe2\x88\x9a{2}",
     "-\\sqrt2 ;; \\sqrt{3} ;; 1.5 ;; \\sqrt[3]{2} ;; 2\\sqrt2", NULL},
    {"\\frac{\\sqrt{3}}{3}",
     "\\frac{1}{\\sqrt3} ;; \\frac{\\sqrt3}3 ;; sqrt(3)/3 ;; \xe2\x88\x9a"
     "3/3 ;; "
     "\\tan 30^\\circ ;; \\tan\\frac{\\pi}{6} ;; 3^{-1/2} ;; \\sqrt{\\frac13} ;; "
     "\\sqrt{1/3}",
     NULL, NULL},
    {"2\\sqrt{3}+\\sqrt[3]{5}",
     "\\sqrt[3]{5}+2\\sqrt{3} ;; 2\xe2\x88\x9a"
     "3+\xe2\x88\x9b"
     "5 ;; 2*sqrt(3)+5^(1/3) ;; "
     "\\sqrt{12}+5^{1/3} ;; 2sqrt3+cbrt(5)",
     NULL, NULL},
    {"\\sqrt{7+4\\sqrt3}", "2+\\sqrt3", "2-\\sqrt3 ;; \\sqrt{7}+4\\sqrt3", NULL},
    {"\\frac{1+\\sqrt5}{2}",
     "\\frac{\\sqrt{5}+1}{2} ;; (1+sqrt(5))/2 ;; \\frac12+\\frac{\\sqrt5}2 ;; "
     "\\frac{2}{\\sqrt5-1} ;; (1+\xe2\x88\x9a"
     "5)/2 ;; 0.5(1+\\sqrt5)",
     "\\frac{1-\\sqrt5}{2} ;; 1+\\frac{\\sqrt5}{2}", NULL},
    {"4\\pi",
     "4 \\pi ;; 4\xcf\x80 ;; 4*pi ;; 4pi ;; \\pi\\cdot4 ;; 12.566370614 ;; "
     "4\\pi\\text{ cm}^2 ;; 4\\pi \\text{ square units} ;; \\pi \\times 2^2",
     "4 ;; 2\\pi ;; 4\\pi^2 ;; -4\xcf\x80", NULL},
    {"\\frac{\\pi}{6}",
     "30^\\circ ;; \\pi/6 ;; pi/6 ;; \\frac16\\pi ;; \\arcsin\\frac12 ;; "
     "\\sin^{-1}(1/2) ;; \\arctan\\frac{1}{\\sqrt3}",
     NULL, NULL},
    {"e^2", "exp(2) ;; e^{2} ;; \\exp(2) ;; \\mathrm{e}^2 ;; \\exp 2", NULL, NULL},
    {"\\ln 2", "\\ln(2) ;; ln2 ;; ln 2 ;; \\frac12\\ln4 ;; \\log_e 2 ;; \\ln{2}",
     "\\ln 3 ;; -\\ln 2 ;; 2\\ln2", NULL},
    {"\\log_2 3",
     "\\frac{\\ln 3}{\\ln 2} ;; \\log_{2}3 ;; \\log_2{3} ;; \\frac{\\log 3}{\\log 2} ;; "
     "\\frac{1}{\\log_3 2} ;; log_2(3) ;; \\log_4 9",
     NULL, NULL},
    {"3+4i", "4i+3 ;; 3+4\\mathrm{i} ;; 3 + 4 i ;; 3+i4", "3-4i ;; 4+3i ;; -3+4i ;; 3+4 ;; 5",
     NULL},
    {"\\frac{1}{1+i}", "\\frac{1-i}{2} ;; \\frac12-\\frac12i ;; 0.5-0.5i", NULL, NULL},
    {"\\cos\\frac{\\pi}{7}", "-\\cos\\frac{6\\pi}{7} ;; \\cos(\\pi/7) ;; cos(pi/7)", NULL, NULL},
    {"\\sin 15^\\circ", "\\frac{\\sqrt6-\\sqrt2}{4} ;; \\sin(15\xc2\xb0) ;; \\sin\\frac{\\pi}{12}",
     NULL, NULL},
    {"e^{i\\pi/3}",
     "\\frac12+\\frac{\\sqrt3}{2}i ;; \\cos\\frac{\\pi}{3}+i\\sin\\frac{\\pi}{3} ;; "
     "\\frac{1+i\\sqrt{3}}{2} ;; \\frac{1+\\sqrt{3}i}{2} ;; e^{\\frac{\\pi i}{3}} ;; "
     "\\operatorname{cis}(60^\\circ)",
     NULL, NULL},
    {"2^{10}", "1024 ;; 2^10 ;; 1,024 ;; 2**10 ;; 4^5", NULL, NULL},
    {"2^{100}", NULL, "2^{99} ;; 2^{101} ;; 2^{-100} ;; 100^2", NULL},
    {"\\frac{1}{2004!}", "(2004!)^{-1} ;; 1/2004! ;; \\dfrac{1}{2004!}",
     "\\frac{1}{2006!} ;; 1/2005!", NULL},
    {"10!", "3628800 ;; 3,628,800 ;; 10\\cdot9!", NULL, NULL},
    {"\\binom{10}{3}",
     "120 ;; C(10,3) ;; {10 \\choose 3} ;; \\frac{10!}{3!7!} ;; \\dbinom{10}{3} ;; "
     "\\binom{10}{7}",
     "720 ;; \\binom{10}{4}", NULL},
    {"2^{2^{2^2}}", "65536 ;; 2^16 ;; 2^{16}", NULL, NULL},
    {"3^{2023}-1", "-1+3^{2023} ;; 3\\cdot3^{2022}-1", "3^{2023}+1 ;; 3^{2022}-1", NULL},
    {"\\frac{2^{2024}-1}{3}", "\\frac13(2^{2024}-1) ;; \\frac{4^{1012}-1}{3}", NULL, NULL},
    {"1-\\frac1e", "\\frac{e-1}{e} ;; 1-e^{-1}", "1+\\frac1e ;; \\frac1e", NULL},
    {"\\lfloor 3.7\\rfloor",
     "3 ;; \\left\\lfloor\\frac{37}{10}\\right\\rfloor ;; floor(3.7) ;; "
     "\xe2\x8c\x8a"
     "3.7\xe2\x8c\x8b",
     NULL, NULL},
    {"x^2+2x+1",
     "(x+1)^2 ;; 1+2x+x^2 ;; x**2+2*x+1 ;; (x+1)(x+1) ;; x\xc2\xb2+2x+1 ;; x^{2}+2x+1 ;; "
     "x\\cdot x+2x+1 ;; \\left(x+1\\right)^{2} ;; x(x+2)+1",
     "x^2-2x+1 ;; x^2+2x ;; x^2+2x-1 ;; (x+1)^3 ;; y^2+2y+1 ;; x^2+2x+2", NULL},
    {"\\frac{x^2-1}{x-1}", "x+1 ;; 1+x", NULL, NULL},
    {"(x-2)(x+3)", "x^2+x-6 ;; (x+3)(x-2) ;; (2-x)(-3-x)", NULL, NULL},
    {"\\frac{1}{x}+\\frac{1}{y}",
     "\\frac{x+y}{xy} ;; \\frac{y+x}{xy} ;; 1/x+1/y ;; (x+y)/(xy) ;; x^{-1}+y^{-1}",
     "\\frac{1}{x+y} ;; \\frac{x-y}{xy} ;; \\frac{2}{x+y}", NULL},
    {"3a^2b", "3 a^2 b ;; 3*a^2*b ;; 3ba^2 ;; 3a^{2}b", "3ab^2 ;; 3a^2 ;; 9a^2b", NULL},
    {"x^2-4", "(x-2)(x+2) ;; x^2-2^2", NULL, NULL},
    {"-x^2+5", "5-x^2 ;; -(x^2-5) ;; -(x^2)+5", "x^2+5 ;; (-x)^2+5 ;; -x^2-5", NULL},
    {"\\frac{n(n+1)}{2}",
     "\\frac12n(n+1) ;; \\frac{n^2+n}{2} ;; \\binom{n+1}{2} ;; n(n+1)/2 ;; "
     "\\dfrac{n^2}{2}+\\dfrac n2",
     NULL, NULL},
    {"2^n-1", "-1+2^n ;; 2^{n}-1", "2^{n-1} ;; 2^n+1 ;; 2n-1", NULL},
    {"y=2x+3", "2x+3 ;; y = 3+2x ;; 2x-y+3=0 ;; y-2x=3 ;; f(x)=2x+3 ;; y-3=2x ;; -2x+y-3=0",
     "y=2x-3 ;; y=3x+2 ;; y=-2x+3 ;; 2x+y+3=0", NULL},
    {"x^2+y^2=25",
     "25=x^2+y^2 ;; x^2+y^2-25=0 ;; y^2+x^2=25 ;; 2x^2+2y^2=50 ;; "
     "\\frac{x^2}{25}+\\frac{y^2}{25}=1 ;; x^2+y^2=5^2",
     "x^2+y^2=5 ;; x^2-y^2=25 ;; x^2+y^2=24", NULL},
    {"\\frac{x^2}{4}+\\frac{y^2}{9}=1", "9x^2+4y^2=36",
     "\\frac{x^2}{9}+\\frac{y^2}{4}=1 ;; 9x^2-4y^2=36", NULL},
    {"a_n=3n-1", "3n-1 ;; a_{n}=3n-1 ;; a_n = -1+3n", NULL, NULL},
    {"\\sin^2x", "1-\\cos^2x ;; (\\sin x)^2 ;; \\sin^{2}(x) ;; \\frac{1-\\cos2x}{2}", NULL, NULL},
    {"|x-3|", "|3-x| ;; \\left|x-3\\right| ;; \\lvert x-3\\rvert ;; \\vert x-3 \\vert ;; abs(x-3)",
     "x-3 ;; |x+3|", NULL},
    {"5",
     "x=5 ;; x = 5 ;; $x=5$ ;; 5. ;; x=5. ;; \\boxed{5} ;; (5) ;; \\text{5} ;; $5 ;; "
     "5 units ;; 5\\text{ units} ;; n=5 ;; 5=x ;; \\{5\\} ;; x\\in\\{5\\} ;; five ;; "
     "Five ;; \\text{five} ;; 5\\ ",
     "x=6 ;; -5 ;; x=-5 ;; 50 ;; 0.5 ;; 15 ;; five hundred ;; six", NULL},
    {"x=2,y=3",
     "y=3,x=2 ;; x=2, \\ y=3 ;; x=2 \\text{ and } y=3 ;; x=2 and y=3 ;; (2,3) ;; "
     "x=2\\quad y=3 ;; x = 2;\\; y = 3",
     "x=3,y=2 ;; (3,2) ;; x=2,y=4 ;; x=2", NULL},
    {"x=1,2",
     "x=1,x=2 ;; x=1\\text{ or }x=2 ;; \\{1,2\\} ;; 1,2 ;; 2,1 ;; 1 and 2 ;; 1 or 2 ;; "
     "x=2,1 ;; x\\in\\{1,2\\} ;; x=1\\lor x=2 ;; x_1=1,x_2=2 ;; x_{1}=1, x_{2}=2 ;; "
     "1\\text{ and }2 ;; 1,\\ 2 ;; 1; 2 ;; 1, 2 ;; x=1 \\vee x=2",
     "x=1 ;; 1,3 ;; \\{1,2,3\\} ;; -1,-2 ;; 12", NULL},
    {"\\pm 2",
     "2,-2 ;; -2,2 ;; \\{-2,2\\} ;; x=\\pm2 ;; \\mp2 ;; \xc2\xb1"
     "2 ;; "
     "+2\\text{ and }-2 ;; \\pm\\sqrt4 ;; x=2\\text{ or }x=-2 ;; x=-2,2",
     "2 ;; -2 ;; \\pm3", NULL},
    {"2021", NULL, "\\pm 2021", NULL},
    {"\\pm2021", NULL, "2021", NULL},
    {"1\\pm\\sqrt2",
     "1+\\sqrt2,1-\\sqrt2 ;; \\{1-\\sqrt2,1+\\sqrt2\\} ;; 1\\mp\\sqrt2 ;; "
     "\\frac{2\\pm\\sqrt8}{2}",
     "1+\\sqrt2 ;; -1\\pm\\sqrt2 ;; 1\\pm\\sqrt3", NULL},
    {"\\{1,2,3\\}",
     "\\{3,2,1\\} ;; {1,2,3} ;; \\left\\{1,2,3\\right\\} ;; \\lbrace 1,2,3\\rbrace ;; "
     "1,2,3 ;; \\{1;2;3\\}",
     "\\{1,2\\} ;; \\{1,2,4\\} ;; \\{1,2,3,4\\} ;; (1,2,4)", NULL},
    {"(1,2)",
     "\\left(1,2\\right) ;; (1, 2) ;; (1;2) ;; \\langle1,2\\rangle ;; (1.0,2.0) ;; "
     "(x,y)=(1,2) ;; x=1,y=2 ;; \\left(1,\\,2\\right) ;; $(1,2)$ ;; \\bigl(1,2\\bigr) ;; "
     "(\\frac22,2) ;; P(1,2) ;; P=(1,2) ;; P = \\left(1, 2\\right)",
     "(2,1) ;; (1,3) ;; (1,2,3) ;; (-1,2) ;; [1,2] ;; (1,2]", NULL},
    {"[1,3]",
     "1\\le x\\le3 ;; 1\\leq x\\leq 3 ;; 1<=x<=3 ;; x\\in[1,3] ;; \\left[1,3\\right] ;; "
     "\\{x|1\\le x\\le3\\} ;; \\{x:1\\le x\\le3\\} ;; \\{x\\mid 1\\le x\\le3\\} ;; "
     "3\\ge x\\ge1 ;; x\\ge1\\text{ and }x\\le3 ;; 1\xe2\x89\xa4x\xe2\x89\xa4"
     "3 ;; "
     "\\{x\\in\\mathbb{R}:1\\le x\\le3\\} ;; x \\in \\left[1, 3\\right] ;; [1.0,3.0]",
     "(1,3) ;; [1,3) ;; [1,4] ;; 1<x<3 ;; 1\\le x<3 ;; [3,1]", NULL},
    {"(-\\infty,2)",
     "x<2 ;; (-\\infty, 2) ;; (-inf,2) ;; (-oo, 2) ;; 2>x ;; x\\in(-\\infty,2) ;; "
     "]-\\infty,2[ ;; (-\xe2\x88\x9e,2) ;; \\{x|x<2\\} ;; \\left(-\\infty,2\\right)",
     "(-\\infty,2] ;; (2,\\infty) ;; x>2 ;; (-\\infty,-2)", NULL},
    {"(2,\\infty)", "(2,+\\infty) ;; x>2 ;; (2, \xe2\x88\x9e)", NULL, NULL},
    {"(-\\infty,-1)\\cup(1,\\infty)",
     "x<-1\\text{ or }x>1 ;; (1,\\infty)\\cup(-\\infty,-1) ;; |x|>1 ;; "
     "\\mathbb{R}\\setminus[-1,1] ;; x<-1 \\lor x>1 ;; x<-1 or x>1 ;; "
     "(-\xe2\x88\x9e,-1)\xe2\x88\xaa(1,\xe2\x88\x9e) ;; (-inf,-1)U(1,inf) ;; "
     "(-\\infty,-1)\\text{ or }(1,\\infty)",
     "(-\\infty,-1]\\cup[1,\\infty) ;; (-1,1) ;; (-\\infty,-1)\\cup(2,\\infty) ;; "
     "(-\\infty,1)\\cup(-1,\\infty)",
     NULL},
    {"\\mathbb{R}",
     "(-\\infty,\\infty) ;; \\text{all real numbers} ;; \xe2\x84\x9d ;; "
     "all real numbers ;; \\mathbf{R} ;; \\Bbb R ;; x\\in\\mathbb{R} ;; "
     "(-\\infty,+\\infty) ;; \\text{All real numbers}",
     NULL, NULL},
    {"\\emptyset",
     "\\varnothing ;; \\{\\} ;; \xe2\x88\x85 ;; no solution ;; \\text{no solution} ;; "
     "none ;; empty set ;; No solutions ;; \\text{No real solutions}",
     NULL, NULL},
    {"x\\neq 2",
     "\\mathbb{R}\\setminus\\{2\\} ;; (-\\infty,2)\\cup(2,\\infty) ;; x \xe2\x89\xa0 2 ;; "
     "x!=2 ;; x\\ne2 ;; \\{x\\mid x\\ne 2\\} ;; \\mathbb{R}-\\{2\\}",
     NULL, NULL},
    {"[0,1)\\cup\\{2\\}", "\\{2\\}\\cup[0,1)", NULL, NULL},
    {"12\\text{ cm}",
     "12 ;; 12 cm ;; 12cm ;; 12\\,\\mathrm{cm} ;; 12\\ \\text{cm} ;; 12\\text{cm} ;; "
     "12 centimeters ;; 12 centimetres ;; 12\\,\\text{centimeters} ;; 0.12 m ;; 120 mm ;; "
     "x=12\\text{ cm}",
     "12 m ;; 13 cm ;; 12 kg ;; 13 ;; 1.2 cm", NULL},
    {"15\\text{ cm}^2",
     "15\\,\\text{cm}^{2} ;; 15 ;; 15 square centimeters ;; 15 cm^2 ;; 15 cm\xc2\xb2 ;; "
     "15 sq cm ;; 15\\ \\mathrm{cm^2}",
     NULL, NULL},
    {"60 km/h",
     "60 ;; 60 km/hr ;; 60 kilometers per hour ;; 60\\,\\text{km/h} ;; "
     "60\\text{ kilometers per hour} ;; 60\\ \\frac{\\text{km}}{\\text{h}} ;; 60 kph ;; "
     "60 \\mathrm{~km} / \\mathrm{h}",
     "70 km/h ;; 6 km/h", NULL},
    {"\\$4.50",
     "4.50 ;; 4.5 ;; $4.50 ;; 4.50 dollars ;; 4.50\\text{ dollars} ;; \\$4.5 ;; "
     "450 cents ;; US$4.50 ;; USD 4.50 ;; 4.5 USD",
     "5.50 ;; $4.05 ;; $45.0 ;; 4.50 cents", NULL},
    {"25\\%",
     "25% ;; 25 percent ;; 0.25 ;; 25 ;; 1/4 ;; 25\\text{ percent} ;; 25\\,\\% ;; "
     "\\frac{25}{100} ;; 25.0%",
     "2.5% ;; 0.025 ;; 75% ;; 1/25 ;; 26% ;; 250", NULL},
    {"45^\\circ",
     "45 ;; 45 degrees ;; 45\xc2\xb0 ;; 45^{\\circ} ;; 45\\text{ degrees} ;; "
     "\\frac{\\pi}{4} ;; \\angle A=45^\\circ ;; 45\\degree ;; "
     "\xe2\x88\xa0"
     "ABC = 45\xc2\xb0 ;; 45 ^\\circ ;; x=45^\\circ ;; "
     "m\\angle ABC=45^\\circ",
     "54 ;; -45^\\circ ;; 45.5 ;; \\frac{\\pi}{3} ;; 135\xc2\xb0", NULL},
    {"12:00", "12 : 00", "1:00 ;; 12:30 ;; 11:00 ;; 0:12", NULL},
    {"3:15 \\text{ p.m.}", "3:15 p.m. ;; 3:15 PM ;; 3:15pm ;; 3:15", "3:51 pm ;; 3:15 a.m.", NULL},
    {"2:3",
     "\\frac23 ;; 2/3 ;; 4:6 ;; 2 : 3 ;; 2\\colon 3 ;; 2 to 3 ;; 2\\text{ to }3 ;; "
     "2\xef\xbc\x9a"
     "3",
     "3:2 ;; 3/2 ;; 2:4", NULL},
    {"1:2:3", "2:4:6 ;; 1 : 2 : 3", "1:3:2 ;; 3:2:1", NULL},
    {"2.5\\text{ million}", "2,500,000 ;; 2.5 million ;; 2500000", NULL, NULL},
    {"3",
     "3 apples ;; 3 students ;; 3\\text{ apples} ;; three apples ;; 3 people. ;; "
     "3\\text{rd} ;; 3rd",
     NULL, NULL},
    {"5\\text{ hours}", "5 hours ;; 5 ;; 5 hr ;; 5 h ;; 300 minutes ;; 5 hrs", NULL, NULL},
    {"2 hours 30 minutes", "2 hours and 30 minutes ;; 150 minutes ;; 2.5 hours", NULL, NULL},
    {"5\\text{ feet }3\\text{ inches}", "5 feet 3 inches ;; 63 inches", NULL, NULL},
    {"1/2", "one half ;; \\text{one half} ;; half ;; one-half ;; a half", NULL, NULL},
    {"7th", "7", NULL, NULL},
    {"20", "twenty ;; Twenty", "thirty ;; twenty-one ;; twelve", NULL},
    {"25", "twenty-five ;; twenty five", "twenty", NULL},
    {"100", "one hundred ;; a hundred", "100.4", NULL},
    {"342", "three hundred forty-two ;; three hundred and forty-two", NULL, NULL},
    {"\\text{Yes}", "yes ;; Yes ;; YES ;; \\textbf{Yes} ;; Yes. ;; \"Yes\"",
     "No ;; no ;; \\text{No}", NULL},
    {"\\text{Monday}", "Monday ;; monday ;; Monday. ;; \\textrm{Monday} ;; \\mathrm{Monday}",
     "Tuesday ;; Sunday", NULL},
    {"\\text{Alice}", "Alice ;; \\textit{Alice} ;; \\mbox{Alice}", "Bob ;; Alicia", NULL},
    {"\\text{Alice and Bob}",
     "Alice and Bob ;; Bob and Alice ;; \\text{Alice}\\text{ and }\\text{Bob} ;; "
     "Alice, Bob",
     NULL, NULL},
    {"\\text{(B)}",
     "B ;; (B) ;; B. ;; \\textbf{(B)} ;; \\textbf{(B) } ;; \\mathrm{B} ;; \\text{B} ;; "
     "\\boxed{B} ;; \\textbf{B} ;; B)",
     "A ;; (C) ;; D", NULL},
    {"(B) 12", "B ;; (B) ;; B. 12 ;; B) 12 ;; \\textbf{(B)}\\ 12 ;; \\text{B}", "A ;; C", NULL},
    {"A,C", "C,A ;; A and C ;; \\text{A, C} ;; A, C", "A,B ;; A ;; A,B,C", NULL},
    {"\\text{odd}", "odd", NULL, NULL},
    {"odd", NULL, "even", NULL},
    {"\\text{increasing}", "increasing", NULL, NULL},
    {"increasing", NULL, "decreasing", NULL},
    {"true", "True ;; \\text{True}", "false", NULL},
    {"\\text{ellipse}", "ellipse ;; an ellipse ;; Ellipse", NULL, NULL},
    {"ellipse", NULL, "hyperbola", NULL},
    {"\\text{undefined}", "undefined ;; Undefined", NULL, NULL},
    {"\\infty", "infinity ;; \xe2\x88\x9e ;; +\\infty ;; \\text{infinity} ;; inf",
     "-\\infty ;; 0 ;; 1", NULL},
    {"\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
     "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix} ;; "
     "\\left[\\begin{array}{cc}1&2\\\\3&4\\end{array}\\right] ;; "
     "\\left(\\begin{matrix}1&2\\\\3&4\\end{matrix}\\right) ;; "
     "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\\\ \\end{pmatrix} ;; [[1,2],[3,4]] ;; "
     "\\begin{Bmatrix}1&2\\\\3&4\\end{Bmatrix} ;; "
     "\\begin{pmatrix}1&2\\cr3&4\\end{pmatrix} ;; Matrix([[1,2],[3,4]]) ;; "
     "\\begin{pmatrix}1.0&2\\\\3&\\frac82\\end{pmatrix}",
     "\\begin{pmatrix}1&3\\\\2&4\\end{pmatrix} ;; "
     "\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix} ;; "
     "\\begin{pmatrix}1&2&3&4\\end{pmatrix} ;; \\begin{pmatrix}1&2\\\\3&-4\\end{pmatrix}",
     NULL},
    {"\\begin{pmatrix}1\\\\2\\\\3\\end{pmatrix}",
     "(1,2,3) ;; \\begin{bmatrix}1\\\\2\\\\3\\end{bmatrix} ;; \\langle1,2,3\\rangle ;; "
     "\\begin{pmatrix}1&2&3\\end{pmatrix}^T ;; \\left<1,2,3\\right>",
     "\\begin{pmatrix}1\\\\3\\\\2\\end{pmatrix} ;; (1,2) ;; (3,2,1)", NULL},
    {"\\frac12\\begin{pmatrix}2&4\\\\6&8\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
     NULL, NULL},
    {"\\begin{vmatrix}1&2\\\\3&4\\end{vmatrix}", "-2", NULL, NULL},
    {"1011_2", "11 ;; 1011_{2} ;; (1011)_2 ;; 13_8 ;; 1011_{\\text{two}} ;; \\text{B}_{16}",
     "1101_2 ;; 12 ;; 1011_3", "1011"},
    {"\\text{AB}_{16}", "171 ;; AB_{16} ;; \\mathrm{AB}_{16}", NULL, NULL},
    {"(1,2),(3,4)",
     "(3,4),(1,2) ;; \\{(1,2),(3,4)\\} ;; (1,2) and (3,4) ;; (x,y)=(1,2),(3,4) ;; "
     "(1,2)\\text{ and }(3,4) ;; (1,2); (3,4) ;; (1,2)\\text{ or }(3,4) ;; "
     "(1,2)\\quad(3,4)",
     "(1,2) ;; (2,1),(4,3) ;; (1,4),(3,2) ;; (1,2),(3,5) ;; (1,2),(3,4),(5,6)", NULL},
    {"(3,\\frac{\\pi}{2})", "\\left(3,\\frac{\\pi}{2}\\right) ;; (3, \xcf\x80/2) ;; (3,pi/2)", NULL,
     NULL},
    {"(a,b)=(1,2)", "a=1,b=2 ;; (1,2) ;; a=1\\text{ and }b=2", NULL, NULL},
    {"f(x)=x^2", "x^2 ;; f(x) = x^2 ;; y=x^2 ;; f(x)=x^{2} ;; f(t)=t^2",
     "f(x)=x^3 ;; f(x)=-x^2 ;; 2x", NULL},
    {"f(x)=0,f(x)=x", "f(x)=0\\text{ or }f(x)=x ;; f(x)=x, f(x)=0 ;; f(x)=0\\text{ and }f(x)=x",
     NULL, NULL},
    {"\\frac{1}{2}\\ln(x^2+1)+C",
     "\\frac12\\ln(1+x^2)+C ;; C+\\frac{\\ln(x^2+1)}{2} ;; \\ln\\sqrt{x^2+1}+C", NULL, NULL},
    {"2k\\pi", "2\\pi k ;; 2k\xcf\x80", NULL, NULL},
    {"n\\pi, n\\in\\mathbb{Z}", "n\\pi,\\ n\\in\\mathbb{Z} ;; k\\pi,k\\in\\mathbb{Z} ;; n\\pi",
     NULL, NULL},
    {"\\frac{\\pi}{4}+k\\pi,k\\in\\mathbb Z",
     "\\frac{\\pi}{4}+n\\pi, n\\in\\mathbb{Z} ;; "
     "x=\\frac{\\pi}{4}+k\\pi\\ (k\\in\\mathbb{Z})",
     NULL, NULL},
    {"\\{2k|k\\in\\mathbb{Z}\\}", NULL, NULL, "\\{2k+1|k\\in\\mathbb{Z}\\}"},
    {"\\{x\\in\\mathbb{Z}|1\\le x\\le3\\}", "\\{x\\in\\mathbb{Z}\\mid 1\\leq x\\leq 3\\}", NULL,
     "[1,3]"},
    {"2^{n-1}", "\\frac{2^n}{2} ;; 2^n\\cdot\\frac12 ;; 2^(n-1)", NULL, NULL},
    {"n \\ge 3",
     "n\\geq 3 ;; n\xe2\x89\xa5"
     "3 ;; n >= 3 ;; n\\geqslant3 ;; 3\\le n ;; [3,\\infty) ;; "
     "n\\in[3,\\infty)",
     "n>3 ;; n\\le3 ;; n\\ge4", NULL},
    {"x>2,x<5", "2<x<5 ;; (2,5) ;; x>2\\text{ and }x<5 ;; 2<x\\text{ and }x<5 ;; 5>x>2", NULL,
     NULL},
    {"a>b", "b<a", "a<b ;; a\\ge b", NULL},
    {"-1<m<1", "m\\in(-1,1) ;; (-1,1) ;; |m|<1", NULL, NULL},
    {"4:3:2", "4 : 3 : 2 ;; 8:6:4", NULL, NULL},
    {"x^2 - 3x + 2 = 0", "(x-1)(x-2)=0", "x^2+3x+2=0", NULL},
    {"x=\\frac{-b\\pm\\sqrt{b^2-4ac}}{2a}", "\\frac{-b\\pm\\sqrt{b^2-4ac}}{2a}", NULL, NULL},
    {"\\sqrt{x^2+y^2}", "(x^2+y^2)^{1/2} ;; \\sqrt{y^2+x^2}", NULL, NULL},
    {"xy+yz+zx", "xy+yz+xz ;; zx+xy+yz", "xyz ;; x+y+z ;; xy+yz-zx", NULL},
    {"AB^2+BC^2", "BC^2+AB^2", NULL, NULL},
    {"14 \\mathrm{~cm}", "14", NULL, NULL},
    {"1.6\\times10^{-19}\\text{ C}", "1.6e-19 ;; 1.6\\times 10^{-19}", NULL, NULL},
    {"6.02 \\times 10^{23}",
     "6.02e23 ;; 6.02\xc3\x97"
     "10^23 ;; 602000000000000000000000",
     NULL, NULL},
    {"\\left( \\frac{1}{2}, -3 \\right)",
     "(0.5,-3) ;; (1/2, -3) ;; \\left(\\tfrac12,-3\\right) ;; "
     "\\left(\\frac{1}{2} , - 3\\right) ;; x=\\frac12,y=-3 ;; "
     "\\begin{pmatrix}1/2\\\\-3\\end{pmatrix}",
     NULL, NULL},
    {"A=(1,2)", "(1,2) ;; A(1,2)", NULL, NULL},
    {"x = 1, y = 2, z = 3",
     "(1,2,3) ;; (x,y,z)=(1,2,3) ;; x=1,\\;y=2,\\;z=3 ;; "
     "\\begin{cases}x=1\\\\y=2\\\\z=3\\end{cases} ;; z=3,y=2,x=1",
     "(3,2,1) ;; (1,3,2)", NULL},
    {"(x+1)(x-2)(x+3)", "(x-2)(x+1)(x+3) ;; x^3+2x^2-5x-6", NULL, NULL},
    {"x^2(x-1)", "x^3-x^2 ;; x*x*(x-1) ;; x^{2}\\left(x-1\\right)", NULL, NULL},
    {"5\\frac{3}{4}", "5.75 ;; 23/4 ;; 5\\,\\frac34 ;; 5\\ 3/4 ;; 5 3/4", NULL, NULL},
    {"-\\frac{7}{3}",
     "\\frac{-7}{3} ;; \\frac{7}{-3} ;; -7/3 ;; -\\dfrac73 ;; -2\\frac13 ;; -(7/3)", NULL, NULL},
    {"0.5", ".5 ;; 1/2 ;; 50\\% ;; 0,5 ;; 0.50", NULL, NULL},
    {"3.0\\times10^8", "3e8 ;; 300000000 ;; 3\\cdot10^8 ;; 3.0x10^8 ;; 3*10^8 ;; 300{,}000{,}000",
     NULL, NULL},
    {"1.23e-4", "0.000123 ;; 1.23\\times10^{-4}", NULL, NULL},
    {"\\frac{1}{1000}", "0.001 ;; 10^{-3} ;; 1e-3 ;; 1/1000", NULL, NULL},
    {"100!", "100 !", NULL, NULL},
    {"2\\cos\\theta", "2\\cos(\\theta) ;; 2 \\cos \\theta ;; 2cos\xce\xb8 ;; 2\\cos{\\theta}", NULL,
     NULL},
    {"\\sin 2x", "2\\sin x\\cos x ;; \\sin(2x) ;; \\sin{2x}", NULL, NULL},
    {"\\tan^{-1}2", "\\arctan 2 ;; \\arctan(2) ;; arctan(2) ;; \\operatorname{arctan}2", NULL,
     NULL},
    {"\\log_{10}5", "\\log_{10}(5) ;; \\lg 5 ;; \\frac{\\ln5}{\\ln10}", NULL, NULL},
    {"\\sqrt[3]{x^2}", "x^{2/3} ;; (x^2)^{1/3} ;; x^{\\frac23}", NULL, NULL},
    {"\\frac{x}{y}", "x/y ;; x \\div y ;; xy^{-1}", NULL, NULL},
    {"\\frac{a+b}{c}", "(a+b)/c ;; \\frac{a}{c}+\\frac{b}{c}", "a+b/c ;; \\frac{a}{c}+b", NULL},
    {"e^{-x}\\sin x", "\\sin(x)e^{-x} ;; \\frac{\\sin x}{e^x}", NULL, NULL},
    {"\\ln|x|+C", "\\ln\\left|x\\right|+C ;; C+\\ln|x|", NULL, NULL},
    {"a^2-b^2", "(a-b)(a+b) ;; (a+b)(a-b)", "(a-b)^2 ;; a^2+b^2 ;; b^2-a^2", NULL},
    {"x=3y", "3y=x ;; x-3y=0 ;; y=\\frac{x}{3}", NULL, NULL},
    {"x=\\frac{5}{2}", "5/2 ;; 2.5 ;; 2x=5 ;; x=2.5", NULL, NULL},
    {"x=\\frac52", NULL, "x=2/5", NULL},
    {"y=-\\frac{2}{3}x+4",
     "2x+3y=12 ;; 2x+3y-12=0 ;; 3y=-2x+12 ;; y=4-\\frac{2x}{3} ;; "
     "\\frac{x}{6}+\\frac{y}{4}=1",
     NULL, NULL},
    {"2x+3y=12", NULL, "3x+2y=12 ;; 2x-3y=12 ;; 2x+3y=-12", NULL},
    {"(x-1)^2+(y+2)^2=9", "(y+2)^2+(x-1)^2=3^2 ;; x^2+y^2-2x+4y-4=0",
     "(x+1)^2+(y-2)^2=9 ;; (x-1)^2+(y+2)^2=3", NULL},
    {"y=x^2", "x^2=y ;; y-x^2=0", "x=y^2", NULL},
    {"\\{x\\mid x>0\\}",
     "x>0 ;; (0,\\infty) ;; (0,+\\infty) ;; \\{x|x>0\\} ;; \\{x : x > 0\\} ;; "
     "\\mathbb{R}^+ ;; x \\in (0,\\infty) ;; x\\in\\mathbb{R}^+",
     NULL, NULL},
    {"x\\ge 0",
     "[0,\\infty) ;; x \\geqslant 0 ;; x>=0 ;; \\{x\\mid x\\geq0\\} ;; 0\\leq x ;; "
     "[0,+\\infty)",
     NULL, NULL},
    {"1<x<2\\text{ or }x>3",
     "(1,2)\\cup(3,\\infty) ;; x\\in(1,2)\\cup(3,\\infty) ;; (3,\\infty)\\cup(1,2)", NULL, NULL},
    {"x\\le-2\\text{ or }x\\ge5",
     "(-\\infty,-2]\\cup[5,\\infty) ;; x\\leq -2 \\text{ or } x\\geq 5 ;; "
     "x \\ge 5 \\text{ or } x \\le -2 ;; x\\in(-\\infty,-2]\\cup[5,+\\infty)",
     "[-2,5] ;; (-\\infty,-2)\\cup(5,\\infty)", NULL},
    {"(-3,3)", "-3<x<3 ;; |x|<3 ;; \\{x:-3<x<3\\} ;; x^2<9", NULL, NULL},
    {"(-\\infty,-3]\\cup[3,\\infty)", "|x|\\ge3 ;; x^2\\ge9 ;; x\\ge3\\text{ or }x\\le-3", NULL,
     NULL},
    {"[2,4]", "|x-3|\\le1", "|x-3|<1 ;; |x-4|\\le1", NULL},
    {"a\\in(0,1)\\cup(1,\\infty)",
     "(0,1)\\cup(1,+\\infty) ;; 0<a<1\\text{ or }a>1 ;; a>0,a\\neq1 ;; "
     "a>0\\text{ and }a\\ne1",
     NULL, NULL},
    {"\\{0\\}\\cup[1,2]", "[1,2]\\cup\\{0\\} ;; x=0\\text{ or }1\\le x\\le2", NULL, NULL},
    {"\\mathbb{R}\\setminus\\{0,1\\}",
     "(-\\infty,0)\\cup(0,1)\\cup(1,\\infty) ;; x\\ne0,1 ;; "
     "x\\neq0\\text{ and }x\\neq1 ;; x\\ne0, x\\ne1",
     NULL, NULL},
    {"\\{1,2\\}\\cup\\{3\\}", "\\{1,2,3\\}", NULL, NULL},
    {"\\{(1,2),(3,4)\\}", "\\{(3,4),(1,2)\\} ;; (1,2)\\text{ and }(3,4)", NULL, NULL},
    {"\\{-2,-1,0,1,2\\}", "-2,-1,0,1,2 ;; \\{0,\\pm1,\\pm2\\} ;; 0,\\pm1,\\pm2", NULL, NULL},
    {"\\pm1,\\pm2", "-2,-1,1,2 ;; \\{1,-1,2,-2\\} ;; \\pm2,\\pm1", NULL, NULL},
    {"\\pm\\frac{\\sqrt{2}}{2}",
     "\\pm\\frac{1}{\\sqrt2} ;; \\frac{\\sqrt2}{2},-\\frac{\\sqrt2}{2} ;; "
     "\\frac{\\sqrt{2}}{2}\\text{ or }-\\frac{\\sqrt{2}}{2}",
     NULL, NULL},
    {"\\pm i", "i,-i ;; -i,i ;; x=\\pm i", NULL, NULL},
    {"2\\pm3i", "2+3i,2-3i ;; 2-3i\\text{ and }2+3i", NULL, NULL},
    {"x=3\\text{ or }x=-1", "x=-1,3 ;; x=3,x=-1 ;; -1,3 ;; \\{-1,3\\} ;; 3 and -1 ;; x=-1 or 3",
     NULL, NULL},
    {"1,\\omega,\\omega^2", "\\omega^2,\\omega,1", NULL, NULL},
    {"n=4k+1", "4k+1 ;; n = 4k + 1 ;; n=1+4k", NULL, NULL},
    {"2n+1,n\\in\\mathbb{N}", "2n+1\\ (n\\in\\mathbb{N}) ;; 2k+1,k\\in\\mathbb{N}", NULL, NULL},
    {"f(x)=\\frac{1}{x}", "\\frac1x ;; y=\\frac1x ;; f(x)=x^{-1} ;; 1/x", NULL, NULL},
    {"f^{-1}(x)=\\frac{x-3}{2}", "\\frac{x-3}{2} ;; \\frac{x}{2}-\\frac32 ;; y=\\frac{x-3}{2}",
     NULL, NULL},
    {"a_n=2\\cdot3^{n-1}", "2\\cdot3^{n-1} ;; \\frac{2\\cdot3^n}{3} ;; a_n = 2(3)^{n-1}", NULL,
     NULL},
    {"\\frac{d}{2}", "\\frac12d ;; 0.5d ;; d/2", NULL, NULL},
    {"10\\sqrt{2}\\text{ m}", "10\\sqrt2 ;; 10\\sqrt{2}\\,\\text{m} ;; \\sqrt{200}", NULL, NULL},
    {"36\\pi\\text{ cubic inches}", "36\\pi ;; 36\\pi \\text{ in}^3", NULL, NULL},
    {"5\\text{ gallons}", "5 gallons ;; 5", NULL, NULL},
    {"2\\text{ dozen}", "24 ;; 2 dozen ;; two dozen", NULL, NULL},
    {"\\text{June 20}", "June 20 ;; June 20th", "July 20 ;; June 21", NULL},
    {"\\text{Friday}", "Friday.", NULL, NULL},
    {"A and C", "A, C ;; C and A ;; A & C", NULL, NULL},
    {"3:5", "3/5 ;; \\frac{3}{5} ;; 3 to 5 ;; 3 : 5 ;; 3\\!:\\!5", "5:3", NULL},
    {"05:00", "5:00", NULL, NULL},
    {"1:\\sqrt{3}", "1:\\sqrt3 ;; \\frac{1}{\\sqrt3}", NULL, NULL},
    {"2:\\pi", "2 : \\pi", NULL, NULL},
    {"4:30\\text{ p.m.}", "4:30 pm ;; 4:30 p.m. ;; 4:30 PM ;; 4:30", NULL, NULL},
    {"\\$1{,}000", "1000 ;; $1000 ;; 1,000 dollars ;; $1,000.00", NULL, NULL},
    {"-\\$5", "-5 ;; -$5 ;; \\$-5", NULL, NULL},
    {"30\\%", "30 \\% ;; 0.3 ;; 30 percent ;; \\frac{3}{10}", NULL, NULL},
    {"33\\frac{1}{3}\\%", "33.33\\% ;; \\frac{100}{3}\\% ;; 1/3 ;; 33\\frac13", NULL, NULL},
    {"0", "-0 ;; 0.0 ;; 0\\% ;; 0^\\circ ;; \\frac{0}{5} ;; zero", "1 ;; \\emptyset ;; O", NULL},
    {"1", "1.0 ;; \\frac{5}{5} ;; 100\\% ;; e^0 ;; \\sin 90^\\circ ;; one", "-1 ;; I ;; l ;; i",
     NULL},
    {"x", NULL, "y ;; 2x ;; x^2 ;; -x", NULL},
    {"\\alpha+\\beta", "\\beta+\\alpha ;; \xce\xb1+\xce\xb2", NULL, NULL},
    {"\\alpha", NULL, "\\beta ;; a", NULL},
    {"\\overline{AB}", NULL, "\\overline{AC}", NULL},
    {"\\triangle ABC",
     "\xe2\x96\xb3"
     "ABC",
     NULL, NULL},
    {"2^{31}-1", "2147483647", "2147483648 ;; 2^{31} ;; 2^{30}-1", NULL},
    {"\\frac{7!}{2}", "2520", NULL, NULL},
    {"6\\cdot5\\cdot4", "120 ;; 6 \\times 5 \\times 4 ;; 6*5*4", NULL, NULL},
    {"12345678901234567890", "12,345,678,901,234,567,890", "12345678901234567891", NULL},
    {"\\frac{2}{3}\\pi", "\\frac{2\\pi}{3} ;; 2\xcf\x80/3 ;; 2pi/3 ;; 120^\\circ", NULL, NULL},
    {"\\frac{2\\pi}{3}", NULL, "\\frac{3\\pi}{2} ;; \\frac{2}{3}", NULL},
    {"\\frac{3\\sqrt{2}-\\sqrt{6}}{4}",
     "\\frac{3\\sqrt2}{4}-\\frac{\\sqrt6}{4} ;; \\frac14(3\\sqrt2-\\sqrt6)", NULL, NULL},
    {"\\sqrt{2+\\sqrt{2}}", "\\sqrt{2+\\sqrt2} ;; 2\\cos\\frac{\\pi}{8} ;; 2\\cos 22.5^\\circ",
     NULL, NULL},
    {"\\frac{\\ln 3}{2}", "\\ln\\sqrt3 ;; \\frac12\\ln3 ;; 0.5ln(3) ;; ln(3)/2", NULL, NULL},
    {"\\frac{1}{2}(e-e^{-1})", "\\sinh 1 ;; \\frac{e^2-1}{2e}", NULL, NULL},
    {"0.1+0.2", "0.3 ;; 3/10", NULL, NULL},
    {"1/7", "0.142857142857 ;; 0.1428571", NULL, "0.14"},
    {"0.33", NULL, NULL, "1/3"},
    {"1/3", ".333", NULL, NULL},
    {"22/7", NULL, "\\pi", NULL},
    {"\\approx 3.14", "3.14", NULL, NULL},
    {"2.0", "2", NULL, NULL},
    {"2.01", NULL, "2", NULL},
    {"99", NULL, "100", NULL},
    {"36\xe5\x85\x83", "36 ;; 36.00\xe5\x85\x83 ;; 36\xe5\x9d\x97",
     "63\xe5\x85\x83 ;; 36\xe8\xa7\x92 ;; 3.6\xe5\x85\x83 ;; 36\xe5\x90\xa8", NULL},
    {"45\xe5\x8d\x83\xe5\x85\x8b", "45\xe5\x85\xac\xe6\x96\xa4 ;; 45 kg ;; 45",
     "45\xe5\x85\x8b ;; 45\xe5\x90\xa8 ;; 45\xe5\x8d\x83\xe7\xb1\xb3", NULL},
    {"80\xe5\xb9\xb3\xe6\x96\xb9\xe5\x8e\x98\xe7\xb1\xb3", "80 cm^2 ;; 80 cm\xc2\xb2 ;; 80",
     "80\xe5\xb9\xb3\xe6\x96\xb9\xe7\xb1\xb3 ;; 80\xe7\xab\x8b\xe6\x96\xb9\xe5\x8e\x98\xe7\xb1\xb3",
     NULL},
    {"90\xe5\x8d\x83\xe7\xb1\xb3/\xe6\x97\xb6",
     "90 km/h ;; 90\xe5\x8d\x83\xe7\xb1\xb3\xe6\xaf\x8f\xe5\xb0\x8f\xe6\x97\xb6",
     "9\xe5\x8d\x83\xe7\xb1\xb3/\xe6\x97\xb6 ;; 90\xe7\xb1\xb3/\xe7\xa7\x92", NULL},
    {"3\xe5\xb0\x8f\xe6\x97\xb6", "3 ;; 3 hours ;; 180\xe5\x88\x86\xe9\x92\x9f",
     "3\xe5\x88\x86\xe9\x92\x9f ;; 3\xe5\xa4\xa9", NULL},
    {"7.5\xe4\xb8\x87", "75000 ;; 7.5\xe4\xb8\x87", "7.5 ;; 750 ;; 7.5\xe4\xba\xbf", NULL},
    {"40000", "4\xe4\xb8\x87 ;; 4\xe4\xb8\x87\xe5\x85\x83", "4\xe4\xba\xbf ;; 4\xe5\x8d\x83", NULL},
    {"\\frac{2}{5}",
     "\xe4\xba\x94\xe5\x88\x86\xe4\xb9\x8b\xe4\xba\x8c ;; "
     "\xe4\xba\x94\xe5\x88\x86\xe4\xb9\x8b\xe4\xba\x8c\xe3\x80\x82",
     "\xe4\xba\x8c\xe5\x88\x86\xe4\xb9\x8b\xe4\xba\x94 ;; "
     "\xe4\xba\x94\xe5\x88\x86\xe4\xb9\x8b\xe4\xb8\x89",
     NULL},
    {"\\frac{1}{2}", "\xe4\xba\x8c\xe5\x88\x86\xe4\xb9\x8b\xe4\xb8\x80",
     "\xe4\xb8\x89\xe5\x88\x86\xe4\xb9\x8b\xe4\xb8\x80", NULL},
    {"105", "\xe4\xb8\x80\xe7\x99\xbe\xe9\x9b\xb6\xe4\xba\x94",
     "\xe4\xb8\x80\xe7\x99\xbe\xe4\xba\x94\xe5\x8d\x81 ;; "
     "\xe4\xb8\x80\xe5\x8d\x83\xe9\x9b\xb6\xe4\xba\x94",
     NULL},
    {"4:20 PM", "4:20 p.m. ;; 4:20 \\text{ p.m.} ;; 4:20pm ;; 4:20",
     "4:20 a.m. ;; 4:02 PM ;; 5:20 p.m. ;; 4/20", NULL},
    {"8:00 a.m.", "8 AM ;; 8 \\text{ a.m.}", "8 PM ;; 9 a.m. ;; 8:30 a.m.", "8"},
    {"3 \\pmod{7}", "10 \\pmod 7 ;; 3 (mod 7) ;; -4 \\pmod{7}", "3 \\pmod 8 ;; 4 \\pmod{7}", NULL},
    {"x \\equiv 2 \\pmod 5", "x\\equiv 7 \\pmod{5}",
     "x \\equiv -2 \\pmod{5} ;; x \\equiv 2 \\pmod 6", NULL},
    {"\\begin{cases} x^2, & x \\ge 1 \\\\ 2x-1, & x < 1 \\end{cases}",
     "\\begin{cases} x^2 & \\text{if } x \\ge 1, \\\\ 2x-1 & \\text{if } x<1. \\end{cases} ;; "
     "\\begin{cases} 2x-1 & x < 1 \\\\ x^2 & 1 \\le x \\end{cases}",
     "\\begin{cases} 2x-1, & x \\ge 1 \\\\ x^2, & x < 1 \\end{cases} ;; \\begin{cases} x^2, & x > "
     "1 \\\\ 2x-1, & x \\le 1 \\end{cases}",
     NULL},
    {"\\left\\{\\begin{array}{l} x=3 \\\\ y=-1\\end{array}\\right.",
     "x=3, y=-1 ;; \\begin{cases} x=3 \\\\ y=-1 \\end{cases}", "x=-1, y=3 ;; x=3, y=1", NULL},
    {"2.\\overline{45}", "27/11 ;; 2.454545...", "2.4546 ;; 2.6", "2.45 ;; 2.5"},
    {"-5 cm", "-5 ;; -0.05 \\text{ m}", "5 cm ;; -5 m ;; -5 kg", NULL},
    {"2.5 million", "2500000 ;; 2.5 million people", "2.5 billion ;; 25 million", "2.5"},
    {"60\\%", "60 per cent ;; 60 percent", "6 per cent", NULL},
    {"2.5\\text{ m/s}", "2.5 \\frac{\\text{m}}{\\text{s}} ;; 2.5 m/s",
     "2.5 \\frac{\\text{km}}{\\text{s}}", NULL},
    {"12 square meters", "12 m\xc2\xb2 ;; 12 m^2 ;; 120000 cm^2", "12 cm^2 ;; 12 m^3", NULL},
    {"6x^2y-3xy^2", "3xy(2x-y)", "3xy(2x+y)", NULL},
    {"(0,1)\\cup(1,2]", "(0,1) \\bigcup (1,2]", "(0,1) \\bigcap (1,2]", NULL},
    {"9",
     "\\color{red}{9} ;; \\textcolor{blue}{9} ;; \xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
     "9 ;; **9**. ;; __9__",
     "\\color{red}{6} ;; \xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
     "6 ;; **6**. ;; __6__",
     NULL},
    {"x = 4", "**x = 4** ;; x = **4**", "x = **5**", NULL},
    {"2^{5}", "2**5 ;; 2 ** 5", "2*5", NULL},
    {"\\text{(C)}",
     "Option C ;; choice C ;; (c) ;; \xe9\x80\x89"
     "C ;; \xe9\x80\x89\xe9\xa1\xb9"
     "C",
     "Option B ;; (b) ;; \xe9\x80\x89"
     "B",
     NULL},
    {"\\text{isosceles}", "isosceles", "scalene triangle ;; not isosceles", "isosceles triangle"},
    {"\\text{No}", "no ;; No. ;; NO", "yes ;; none", NULL},
    {"\\text{no solution}", "There is no solution ;; no solutions", "0", NULL},
};
// The same for whole texts, from which the answer is extracted first.
static const struct {
    const char *gold, *same, *other, *unsure;
} answer_texts[] = {
    {"42",
     "The answer is 42. ;; So the answer is $42$. ;; Answer: 42 ;; **Answer:** 42 ;; "
     "**Answer: 42** ;; #### 42 ;; The final answer is \\boxed{42}. ;; $$\\boxed{42}$$ ;; "
     "Therefore, the total is 42 dollars. ;; "
     "Final Answer: The final answer is $42$. I hope it is correct. ;; "
     "Thus she has 42 apples left. ;; <answer>42</answer> ;; "
     "<think>maybe 41</think><answer>42</answer> ;; "
     "<think>It is \\boxed{41}</think> The answer is \\boxed{42} ;; we get x = 42 ;; "
     "$x = 42$ ;; The result is **42**. ;; = 42 ;; 6*7 = 42 ;; ANSWER: 42 ;; "
     "answer is: 42 ;; The answer is approximately 42 ;; "
     "So, the final answer is 42 units. ;; \\[ \\boxed{42} \\] ;; "
     "The answer is: \\(42\\) ;; The answer would be 42 ;; "
     "Hence the number is $\\mathbf{42}$. ;; \\boxed{42} is the answer. ;; "
     "42 is the answer. ;; \\boxed{x=42} ;; \\boxed{\\text{42}} ;; "
     "\\boxed{42\\text{ apples}} ;; \\boxed{ 42 } ;; \\boxed{42.} ;; "
     "\\boxed{\\mathbf{42}} ;; Step 1: 6*7=42\nStep 2: done\nAnswer: 42 ;; "
     "### Final answer\n42 ;; ### Answer\n\n$42$ ;; Final answer: $\\boxed{42}$. ;; "
     "\\fbox{42} ;; \\boxed 42 ;; The answer is\n\n42 ;; The answer is:\n\n$$42$$ ;; "
     "Therefore, $a + b = 40 + 2 = 42$. ;; So there are 42 ways to do that in total. ;; "
     "The answer is 42 (since 6 * 7 = 42). ;; answer = 42 ;; **42** ;; `42` ;; "
     "The value of $x$ is 42 ;; She pays $42.",
     "The answer is 43. ;; \\boxed{43} ;; Therefore \\boxed{42} or rather \\boxed{43} ;; "
     "The answer is -42 ;; \\boxed{4.2} ;; \\boxed{} ;; ",
     NULL},
    {"\\frac{1}{2}",
     "The probability is $\\frac{1}{2}$. ;; The probability is 1/2. ;; "
     "\\boxed{\\dfrac{1}{2}} ;; So the answer is 0.5. ;; The answer is one half. ;; "
     "Answer: $\\frac12$ ;; The answer is 50% ;; "
     "Thus $P = \\frac{3}{6} = \\frac{1}{2}$. ;; \\boxed{\\frac{1}{2}} which is 50 percent",
     NULL, NULL},
    {"(3, 4)",
     "The point is (3, 4). ;; \\boxed{(3,4)} ;; The answer is $(3, 4)$ ;; "
     "Answer: (3,4) ;; So $(x, y) = (3, 4)$.",
     NULL, NULL},
    {"\\{1, 2\\}",
     "\\boxed{\\{1,2\\}} ;; \\boxed{1, 2} ;; \\boxed{1} and \\boxed{2} ;; "
     "The answers are $1$ and $2$. ;; The answer is $\\{1,2\\}$ ;; $x=1$ or $x=2$ ;; "
     "Answer: 1, 2",
     NULL, NULL},
    {"x^2+1",
     "The polynomial is $x^2 + 1$. ;; \\boxed{x^2+1} ;; \\boxed{f(x)=x^2+1} ;; "
     "$f(x) = x^2 + 1$ ;; Answer: x^2+1 ;; So p(x) = x^2 + 1",
     NULL, NULL},
    {"B",
     "The answer is B. ;; The correct answer is (B). ;; \\boxed{B} ;; "
     "\\boxed{\\text{B}} ;; \\boxed{\\textbf{(B)}} ;; Answer: B ;; (B) ;; B. ;; **B** ;; "
     "The correct option is B ;; Answer: (B) 12 apples ;; "
     "So the answer is \\textbf{(B)}. ;; I choose B because it is right. ;; "
     "<answer>B</answer> ;; <answer> (B) </answer> ;; Option B is correct. ;; "
     "The best answer is option (B), since A is too small. ;; B: because it holds ;; "
     "Answer:B ;; The answer is **B** ;; The answer is $\\boxed{\\text{(B)}\\ 12}$ ;; "
     "the answer is (B) 42 ;; Therefore the correct choice is $\\textbf{(B)}$",
     "The answer is A. ;; (C) ;; \\boxed{D} ;; A ;; Answer: E", NULL},
    {"-5",
     "The temperature is -5 degrees. ;; \\boxed{-5} ;; The answer is \xe2\x88\x92"
     "5. ;; "
     "answer: $-5$ ;; so x = -5",
     "\\boxed{5} ;; The answer is 5", NULL},
    {"1,234",
     "The total is 1,234. ;; \\boxed{1234} ;; The answer is $1,234. ;; "
     "\\boxed{1{,}234} ;; 1234 people attended.",
     NULL, NULL},
    {"3.5",
     "The answer is 3.5 hours. ;; It takes 3.5 hours ;; \\boxed{3\\frac{1}{2}} ;; "
     "\\boxed{3.50}",
     NULL, NULL},
    {"75\\%",
     "The percentage is 75%. ;; \\boxed{75\\%} ;; \\boxed{75} ;; The answer is 75 percent.", NULL,
     NULL},
    {"\\text{Tuesday}",
     "The answer is Tuesday. ;; \\boxed{\\text{Tuesday}} ;; \\boxed{Tuesday} ;; "
     "<answer>Tuesday</answer>",
     NULL, NULL},
    {"2\\sqrt{3}",
     "The length is $2\\sqrt{3}$ cm. ;; \\boxed{2\\sqrt{3}\\text{ cm}} ;; "
     "$AB = 2\\sqrt3$ ;; The answer is 2\xe2\x88\x9a"
     "3.",
     NULL, NULL},
    {"[0, 5)",
     "The domain is $[0, 5)$. ;; \\boxed{[0,5)} ;; \\boxed{0 \\le x < 5} ;; "
     "The solution is $0 \\leq x < 5$",
     NULL, NULL},
    {"12",
     "\\begin{align*}x&=3\\cdot4\\\\&=12\\end{align*} ;; "
     "\\boxed{12 \\text{ square units}} ;; area $= 12$",
     NULL, NULL},
    {"\\$18",
     "She makes $18 every day. ;; The answer is \\$18. ;; \\boxed{\\$18} ;; $18.00 ;; "
     "18 dollars ;; She earns 18 dollars a day.",
     NULL, NULL},
    {"70,000", "He made a profit of $70,000. ;; The answer is \\boxed{70000} ;; $70,000$ dollars",
     NULL, NULL},
    {"5",
     "\xe6\x9c\x80\xe7\xbb\x88\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
     "5\xe3\x80\x82 ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
     "5 ;; "
     "\xe5\x9b\xa0\xe6\xad\xa4\xef\xbc\x8c\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf "
     "$\\boxed{5}$\xe3\x80\x82 ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba"
     "5 ;; "
     "\xe6\x89\x80\xe4\xbb\xa5\xe4\xb8\x80\xe5\x85\xb1\xe6\x9c\x89"
     "5\xe4\xb8\xaa\xe8\x8b\xb9\xe6\x9e\x9c\xe3\x80\x82 ;; "
     "La respuesta es 5. ;; Die Antwort ist 5. ;; La r\xc3\xa9ponse est 5. ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf\xef\xbc\x9a$5$",
     NULL, NULL},
    {"10:30", "The train arrives at 10:30. ;; \\boxed{10:30} ;; 10:30 AM", NULL, NULL},
    {"C",
     "\xe6\xad\xa3\xe7\xa1\xae\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
     "C ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
     "C ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf C\xe3\x80\x82 ;; Die richtige Antwort ist C ;; "
     "La respuesta correcta es C ;; La bonne r\xc3\xa9ponse est C. ;; "
     "R\xc3\xa9ponse : C ;; "
     "\xe7\xad\x94\xe3\x81\x88\xe3\x81\xaf"
     "C\xe3\x81\xa7\xe3\x81\x99 ;; "
     "\xec\xa0\x95\xeb\x8b\xb5\xec\x9d\x80 C\xec\x9e\x85\xeb\x8b\x88\xeb\x8b\xa4 ;; "
     "\xe6\x95\x85\xe9\x80\x89"
     "C\xe3\x80\x82 ;; "
     "\xe6\x95\x85\xe9\x80\x89\xef\xbc\x9a"
     "C ;; C. \xe5\x9b\xa0\xe4\xb8\xba ;; "
     "The answer is (C) because A is wrong. ;; Answer is C ;; So C is correct ;; (C) ;; "
     "**C** ;; C) ;; C) Paris ;; [C] ;; Option C ;; choice C ;; "
     "The correct option is: C. ;; \\boxed{C} ;; \\boxed{C. 12} ;; "
     "\\text{The answer is C} ;; I think it is C ;; <answer>C</answer> ;; "
     "Final answer: C ;; A is wrong, B is wrong, so C ;; The answer is $\\boxed{C}$. ;; "
     "Option (D) looks right, but it is too large, so the answer is (C). ;; "
     "Answer: **C** ;; Answer: $C$ ;; Answer: \\textbf{(C)} ;; "
     "The answer is C, not A or B ;; ANSWER: C ;; Correct answer: C",
     "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
     "D ;; The answer is B ;; A ;; (D) ;; "
     "So A is correct",
     NULL},
    {"13",
     "\xe6\x89\x80\xe4\xbb\xa5\xe4\xb8\x80\xe5\x85\xb1\xe6\x9c\x89"
     "13\xe5\x8f\xaa\xe9\xb8\x9f\xe3\x80\x82 ;; "
     "\xe7\xad\x94\xe3\x81\x88\xe3\x81\xaf"
     "13\xe3\x81\xa7\xe3\x81\x99\xe3\x80\x82 ;; "
     "\xd8\xa7\xd9\x84\xd8\xa5\xd8\xac\xd8\xa7\xd8\xa8\xd8\xa9 \xd9\x87\xd9\x8a 13 ;; "
     "\xd0\xbe\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: 13 ;; "
     "\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: 13 ;; "
     "\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82 13. ;; R\xc3\xa9ponse: 13 ;; "
     "La r\xc3\xa9ponse est donc 13. ;; Die Antwort lautet 13. ;; "
     "\xe7\xad\x94\xe6\xa1\x88\xe6\x98\xaf"
     "13 ;; "
     "\xe9\x82\xa3\xe4\xb9\x88\xe6\x80\xbb\xe5\x85\xb1\xe6\x9c\x89"
     "3+10=13\xe5\x8f\xaa\xe9\xb8\x9f ;; "
     "\xec\xa0\x95\xeb\x8b\xb5\xec\x9d\x80 13\xec\x9e\x85\xeb\x8b\x88\xeb\x8b\xa4. ;; "
     "Total: 13 ;; "
     "\xe0\xa4\x87\xe0\xa4\xb8\xe0\xa4\xb2\xe0\xa4\xbf\xe0\xa4\x8f "
     "\xe0\xa4\x89\xe0\xa4\xa4\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa4\xb0 13 \xe0\xa4\xb9\xe0\xa5\x88 ;; "
     "13\xe5\x80\x8b ;; Por lo tanto, la respuesta es 13.",
     NULL, NULL},
    {"70",
     "Le co\xc3\xbbt final est donc de 100 - 30 = 70 $ ;; 70 \xe2\x82\xac ;; "
     "co\xc3\xbbt: 70 $ ;; Er zahlt also 70 \xe2\x82\xac.",
     NULL, NULL},
    {"0.5", "El resultado es 0,5. ;; Il reste 0,5 litre ;; 0,5", NULL, NULL},
    {"1/4",
     "The probability is \\frac{1}{4}. ;; P(A)=\\frac14 ;; $P(X=2) = \\frac{1}{4}$ ;; "
     "\\boxed{P = \\frac{1}{4}} ;; probability = 1/4 ;; \xe2\x89\x88 0.25 ;; $\\Pr(A)=1/4$",
     NULL, NULL},
    {"\\frac{\\pi}{4}",
     "$\\theta = \\frac{\\pi}{4}$ ;; \\boxed{\\theta=\\frac{\\pi}{4}\\text{ rad}} ;; "
     "\\boxed{45^\\circ} ;; \xcf\x80/4",
     NULL, NULL},
    {"2",
     "$\\boxed{2}$ is the number of solutions. ;; There are $\\boxed{2}$. ;; "
     "\\boxed{n=2} ;; \\boxed{\\lfloor 2.5\\rfloor} ;; $$\\boxed{2}.$$ ;; "
     "\\boxed{2\\,} ;; \\boxed{\\,2\\,} ;; \\boxed{2 }~ ;; \\boxed{\\boxed{2}} ;; "
     "\\boxed{{2}} ;; \\boxed{$2$} ;; \\boxed{2}$ ;; The answer is \\boxed{2}! ;; "
     "Therefore the final answer is $\\boxed{\\displaystyle 2}$ ;; "
     "\\boxed{\\dfrac{4}{2}} ;; \\boxed{2~\\text{cm}} ;; \\boxed{2\\;\\mathrm{cm}} ;; "
     "\\boxed{\\text{2 cm}} ;; \\boxed{\\text{Answer: }2} ;; "
     "\\boxed{\\text{The answer is } 2}",
     NULL, NULL},
    {"\\text{Yes}",
     "Yes, it is. ;; The answer is yes. ;; \\boxed{\\text{Yes}} ;; Yes ;; Answer: Yes ;; "
     "**Yes**",
     "No, it is not. ;; The answer is no.", NULL},
    {"(1,2]",
     "$x\\in(1,2]$ ;; $1<x\\le2$ ;; the interval $(1,2]$ ;; \\boxed{(1, 2]} ;; "
     "$\\left(1,2\\right]$",
     NULL, NULL},
    {"x^2+3x-4",
     "$(x+4)(x-1)$ ;; \\boxed{(x-1)(x+4)} ;; $f(x) = x^2+3x-4$ ;; "
     "The expression is $x^2+3x-4$.",
     NULL, NULL},
    {"\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
     "$\\mathbf{v} = \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}$ ;; "
     "\\boxed{\\begin{pmatrix}1\\\\2\\end{pmatrix}} ;; "
     "$\\mathbf{v}=\\begin{bmatrix}1\\\\2\\end{bmatrix}$ ;; \\boxed{(1,2)}",
     NULL, NULL},
    {"y=2x+1",
     "$y = 2x + 1$ ;; \\boxed{y=2x+1} ;; \\boxed{2x+1} ;; $2x - y + 1 = 0$ ;; "
     "The line is $y=2x+1$.",
     NULL, NULL},
    {"10",
     "\\boxed{x = 10} ;; x=10 cm ;; The length of AB is 10. ;; $|AB| = 10$ ;; $AB=10$ ;; "
     "$\\overline{AB}=10$ ;; AB = 10 ;; $\\angle A = 10^\\circ$ ;; "
     "$S_{\\triangle ABC}=10$ ;; $a_5=10$ ;; $f(3)=10$ ;; $n_{\\min}=10$ ;; "
     "$\\gcd(20,30)=10$ ;; $x\\equiv 10$ ;; $10\\pmod{13}$ ;; 10 (mod 13) ;; "
     "$\\text{Area}=10$ ;; $\\text{Area} = 10 \\text{ cm}^2$ ;; $[ABC]=10$ ;; "
     "$\\log_2 1024=10$ ;; $k_{max}=10$ ;; Area = 10 ;; area: 10",
     NULL, NULL},
    {"#### 18",
     "At $3 each, the six books cost her $18 in all. ;; Ten books at $3 and a bag of $5, less $17, "
     "are $18. ;; He pays \\$7 and then \\$11, which is \\$18. ;; In all there are eighteen pens. "
     ";; All 3 boxes hold 6 pens. That makes eighteen pens. ;; They put 18 pens into the 3 boxes. "
     ";; 3 * 6 = **18** ;; n = **18** ;; The answer is not 17 but 18.",
     "They put 3 pens into the 18 boxes. ;; The answer is not 18. ;; It is not 18. ;; That is 1.8 "
     "dollars. ;; \xe7\xad\x94\xe6\xa1\x88\xe4\xb8\x8d\xe6\x98\xaf"
     "18\xe3\x80\x82",
     NULL},
    {"1250.5", "The bill is \\$1{,}250.50. ;; The bill comes to $1,250.50.",
     "The bill is \\$1{,}205.50.", NULL},
    {"65536", "That gives 65 536. ;; It is 2^16. ;; This is $2^{16}$.", "It is 2^15.", NULL},
    {"70000", "He gains 70 thousand dollars. ;; They sold 70 thousand.",
     "He gains 70 dollars. ;; He gains 70 million dollars.", NULL},
    {"6 cm", "The side has 6 cm. ;; The side is 6. ;; It is 0.06 m long.",
     "The side is 6 m long. ;; It has 6 m.", NULL},
    {"25 minutes", "The bus needs 25 minutes. ;; It takes 25 min.",
     "The bus needs 25 hours. ;; It takes 25 seconds.", NULL},
    {"7/2", "It needs 3 1/2 hours. ;; It needs 3.5 hours.",
     "It needs 31/2 hours. ;; It needs 1/2 hours.", NULL},
    {"16\\pi", "So the circle has an area of 16\xcf\x80. ;; The area is 16\xcf\x80 cm\xc2\xb2.",
     "The area is 16. ;; The area is 8\xcf\x80.", NULL},
    {"2\\sqrt{13}",
     "The distance is exactly 2\xe2\x88\x9a"
     "13. ;; So AB = 2\xe2\x88\x9a"
     "13 cm.",
     "The distance is \xe2\x88\x9a"
     "13. ;; The distance is 13\xe2\x88\x9a"
     "2.",
     NULL},
    {"-6",
     "At night it is \xe2\x88\x92"
     "6 degrees. ;; The sum is -6.",
     "At night it is 6 degrees.", NULL},
    {"120", "The base has 120 cm^2. ;; The base has 120 cm\xc2\xb2.", "The base has 12 cm^2.",
     NULL},
    {"x < 4", "We subtract 3 and find x < 4. ;; Hence 4 > x.",
     "We subtract 3 and find x > 4. ;; We find x \xe2\x89\xa4 4.", NULL},
    {"4", "The largest one is 4.", "We subtract 3 and find x < 4.", NULL},
    {"3:2", "The ratio of both is 3 to 2.", "The ratio of both is 2 to 3.", NULL},
    {"\\{2, 3, 7\\}", "The prime factors of 42 are 2, 3, and 7.",
     "The prime factors of 42 are 2 and 3.", NULL},
    {"-5, 1",
     "The roots are $x=\\boxed{-5}$ and $x=\\boxed{1}$. ;; So $x_1 = \\boxed{1}$, "
     "$x_2=\\boxed{-5}$.",
     "The roots are $x=\\boxed{5}$ and $x=\\boxed{1}$. ;; The root is $x=\\boxed{1}$.", NULL},
    {"Friday",
     "30 days after a Wednesday it is a Friday. ;; Since 8 mod 7 = 1, it falls on a Friday.",
     "The day after Friday, day 8, is a Saturday. ;; It falls on a Sunday.", NULL},
    {"Yes", "Yes, since 91 is 7 times 13. ;; The answer is yes, since 91 is 7 times 13.",
     "No, since 91 is 7 times 13. ;; The answer is no, since 91 is odd.", NULL},
    {"10:15 a.m.",
     "The train is there at 10:15 a.m. ;; It left at 9:30 AM and took 45 minutes, so it came at "
     "10:15 AM.",
     "The train is there at 10:15 p.m. ;; It starts at 10:15 a.m. and is there at 11:15 a.m.",
     NULL},
    {"5\xe5\xb0\x8f\xe6\x97\xb6",
     "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\x80\xe5\x85\xb1\xe9\x9c\x80\xe8\xa6\x81"
     "5\xe5\xb0\x8f\xe6\x97\xb6\xe3\x80\x82 ;; \xe9\x9c\x80\xe8\xa6\x81"
     "5\xe4\xb8\xaa\xe5\xb0\x8f\xe6\x97\xb6\xe3\x80\x82",
     "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\x80\xe5\x85\xb1\xe9\x9c\x80\xe8\xa6\x81"
     "5\xe5\xa4\xa9\xe3\x80\x82 ;; \xe9\x9c\x80\xe8\xa6\x81"
     "5\xe5\x88\x86\xe9\x92\x9f\xe3\x80\x82",
     NULL},
    {"36",
     "\xe6\x95\x85\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba\xef\xbc\x9a"
     "36 ;; \xe7\xad\x94\xe6\xa1\x88\xef\xbc\x9a"
     "36\xe5\x85\x83 ;; \xe4\xb8\x80\xe5\x85\xb1\xe6\x9c\x89"
     "36\xe4\xb8\xaa\xe3\x80\x82",
     "\xe6\x95\x85\xe7\xad\x94\xe6\xa1\x88\xe4\xb8\xba\xef\xbc\x9a"
     "63",
     NULL},
};
