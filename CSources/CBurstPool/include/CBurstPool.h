#ifndef CBURSTPOOL_H
#define CBURSTPOOL_H
#endif
