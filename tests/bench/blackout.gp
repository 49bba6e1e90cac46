# The figure of docs/blackout.md: what each driver adds to the firmware's time, by number of CPUs.
set terminal svg size 760,420 font "sans,13" background "white"
set title "Blackout without the firmware's own time (simulated)"
set logscale xy 2
set xrange [0.9:72]
set xtics (1, 2, 4, 8, 16, 32, 64)
set format y "%g"
set xlabel "CPUs"
set ylabel "microseconds"
set grid
set key top left
plot data using 1:5:6:7 with yerrorlines title "mainline's driver" lc rgb "#b04030" pt 4, \
     data using 1:2:3:4 with yerrorlines title "tdx\\_update" lc rgb "#2060a0" pt 7
